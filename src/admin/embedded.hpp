#pragma once

#include <sycee/net/web_files.hpp>

#include <span>

namespace sycee::admin {

std::span<EmbeddedFile const> embedded_files();

}  // namespace sycee::admin
