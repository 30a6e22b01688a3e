#pragma once

#include <sycee/net/web_files.hpp>

#include <span>

namespace sycee::api {

std::span<EmbeddedFile const> embedded_files();

}  // namespace sycee::api
