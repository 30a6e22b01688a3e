// Pins: evidence goes into a new folder of its owner's alone, each file with the hash and the rows
// of all that was written to it; what can't be written is said.
#include <sycee/crypto/hash.hpp>

#include <gtest/gtest.h>

#include <evidence_folder.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <unistd.h>

namespace sycee {
namespace {

class Folder : public ::testing::Test {
  protected:
    ~Folder() override { std::filesystem::remove_all(at); }

    std::filesystem::path const at =
        std::filesystem::path(::testing::TempDir()) / ("evidence-" + std::to_string(::getpid()));
};

TEST_F(Folder, has_each_file_as_it_was_written_with_its_hash) {
    EvidenceFolder folder(at);
    folder.write("records/one.jsonl", "", 0);
    folder.write("two.csv", "a,b\r\n", 0);
    folder.write("records/one.jsonl", "{}\n{}\n", 2);
    folder.write("two.csv", "1,2\r\n", 1);
    folder.close("two.csv");
    folder.close("records/one.jsonl");
    auto const files = folder.files();
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(files[0].name, "records/one.jsonl");
    EXPECT_EQ(files[0].rows, 2U);
    EXPECT_EQ(files[1].bytes, 10U);
    EXPECT_EQ(files[1].sha256, sha256(as_bytes("a,b\r\n1,2\r\n")));
    std::ifstream stream(at / "two.csv", std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), "a,b\r\n1,2\r\n");
    EXPECT_EQ(std::filesystem::status(at).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(Folder, is_never_one_that_was_there) {
    EvidenceFolder const first(at);
    EXPECT_THROW(EvidenceFolder{at}, std::runtime_error);
    EXPECT_THROW(EvidenceFolder{at / "no" / "such"}, std::runtime_error);
}

TEST_F(Folder, says_what_it_could_not_write) {
    EvidenceFolder folder(at);
    std::filesystem::create_directory(at / "taken.csv");
    EXPECT_THROW(folder.write("taken.csv", "x", 1), std::runtime_error);
}

}  // namespace
}  // namespace sycee
