// Pins: what comes piece by piece has the hash of the whole.
#include <sycee/crypto/hash.hpp>
#include <sycee/crypto/sha256_stream.hpp>

#include <gtest/gtest.h>

#include <string>

namespace sycee {
namespace {

TEST(Sha256Stream, has_the_hash_of_all_pieces_together) {
    std::string const text(1'000, 'x');
    for (std::size_t const cut : {std::size_t{0}, std::size_t{1}, std::size_t{64}, text.size()}) {
        Sha256Stream stream;
        stream.add(as_bytes(std::string_view(text).substr(0, cut)));
        stream.add(as_bytes(std::string_view(text).substr(cut)));
        EXPECT_EQ(stream.finish(), sha256(as_bytes(text))) << cut;
    }
    EXPECT_EQ(Sha256Stream().finish(), sha256({}));
}

}  // namespace
}  // namespace sycee
