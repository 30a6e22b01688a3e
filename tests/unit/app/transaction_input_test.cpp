#include <sycee/app/transaction_input.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

std::string const kDigits = "2f1c5c2b44f771e942a8506148e256f94f1a464babc938ae0690c6e34cd79190";
std::string const kOther = std::string(64, 'a');

TEST(TransactionInput, ReadsAHashAndAnExplorersLink) {
    std::string upper = kDigits;
    for (char& c : upper)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (std::string const& text :
         {"0x" + kDigits, kDigits, "0X" + upper, "  0x" + kDigits + "\r\n",
          "https://etherscan.io/tx/0x" + kDigits, "https://etherscan.io/tx/0x" + kDigits + "#logs",
          "https://polygonscan.com/tx/0x" + kDigits +
              "?a=0xdAC17F958D2ee523a2206206994597C13D831ec7",
          "https://explorer.example/#/transaction/" + kDigits, "TxID: 0x" + kDigits + ".",
          "0x" + kDigits + " 0x" + kDigits}) {
        auto const hash = read_transaction_hash(text);
        ASSERT_TRUE(hash) << text;
        EXPECT_EQ(to_hex(*hash), kDigits) << text;
    }
}

TEST(TransactionInput, RefusesWhatIsNoneOrSeveral) {
    for (std::string const& text :
         {std::string(), std::string("0x"), std::string("hello"), "0x" + kDigits.substr(1),
          "0x0" + kDigits, kDigits + "x", "0x0x" + kDigits, "0x" + kDigits.substr(1) + "g",
          std::string("0xdAC17F958D2ee523a2206206994597C13D831ec7"), "0x" + kDigits + " " + kOther,
          std::string("\0\xff\x80", 3), "0x" + kDigits + std::string(2'000, ' ')}) {
        auto const hash = read_transaction_hash(text);
        ASSERT_FALSE(hash) << text;
        EXPECT_EQ(hash.error().field, "transaction");
        EXPECT_FALSE(hash.error().message.empty());
    }
}

}  // namespace
}  // namespace sycee
