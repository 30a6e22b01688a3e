#include <sycee/crypto/equal_texts.hpp>
#include <sycee/crypto/hash.hpp>

namespace sycee {

// Of hashes, since texts may differ in length.
bool equal_texts(std::string_view one, std::string_view other) {
    return equal_in_constant_time(sha256(as_bytes(one)), sha256(as_bytes(other)));
}

}  // namespace sycee
