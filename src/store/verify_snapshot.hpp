#pragma once

#include <sycee/store/verify.hpp>

#include "session.hpp"

#include <string>

namespace sycee {

// verify_books() in this transaction, beside whatever else is read in it.
VerifyResult verify_snapshot(SnapshotTransaction& tx, std::string const& connect_to,
                             VerifyOptions& options);

}  // namespace sycee
