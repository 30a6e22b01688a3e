#pragma once

namespace sycee {

// To be called before any other function of libsodium. Ends the program where there is no
// randomness.
void ensure_sodium();

}  // namespace sycee
