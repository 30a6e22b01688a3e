// Pins: what a token calls itself is read in both forms that exist, and can't forge a line.
#include <sycee/evm/abi.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace sycee {
namespace {

using Answer = std::vector<std::uint8_t>;

void put_word(Answer& answer, std::uint64_t value) {
    answer.insert(answer.end(), 24, 0);
    for (int shift = 56; shift >= 0; shift -= 8)
        answer.push_back(static_cast<std::uint8_t>(value >> shift));
}

Answer abi_string(std::string_view text, std::uint64_t offset = 32) {
    Answer answer;
    put_word(answer, offset);
    put_word(answer, text.size());
    answer.insert(answer.end(), text.begin(), text.end());
    answer.resize((answer.size() + 31) / 32 * 32);
    return answer;
}

Answer word_of(std::string_view text) {
    Answer answer(text.begin(), text.end());
    answer.resize(32);
    return answer;
}

TEST(Symbol, asks_by_the_selector) {
    EXPECT_EQ(to_hex(symbol_call()), "95d89b41");
}

TEST(Symbol, reads_strings_and_words) {
    for (std::string_view const text : {"USDT", "USD₮0", "", "a b", "€"}) {
        EXPECT_EQ(decode_symbol(abi_string(text)), std::string(text));
        EXPECT_EQ(decode_symbol(word_of(text)), std::string(text));
    }
    std::string const full(32, 'a');
    EXPECT_EQ(decode_symbol(word_of(full)), full);
    // As USDT on Ethereum answers.
    EXPECT_EQ(decode_symbol(
                  *from_hex("0000000000000000000000000000000000000000000000000000000000000020"
                            "0000000000000000000000000000000000000000000000000000000000000004"
                            "5553445400000000000000000000000000000000000000000000000000000000")),
              "USDT");
    // Some contracts do not fill up the last word.
    auto bare = abi_string("USDT");
    bare.resize(68);
    EXPECT_EQ(decode_symbol(bare), "USDT");
}

TEST(Symbol, keeps_whole_characters_of_the_first_32_bytes) {
    EXPECT_EQ(decode_symbol(abi_string(std::string(33, 'a'))), std::string(32, 'a'));
    std::string const start(31, 'a');
    EXPECT_EQ(decode_symbol(abi_string(start + "€bc")), start);
}

TEST(Symbol, refuses_other_shapes) {
    auto cut = abi_string("USDT");
    cut.resize(67);
    Answer huge;
    put_word(huge, 32);
    put_word(huge, ~std::uint64_t{0});
    auto wide = abi_string("USDT");
    wide[0] = 1;
    std::vector<Answer> const answers{{},
                                      Answer(31),
                                      Answer(33),
                                      Answer(63),
                                      cut,
                                      huge,
                                      wide,
                                      abi_string("USDT", 64),
                                      abi_string("USDT", 0),
                                      word_of(std::string_view("US\0T", 4))};
    for (auto const& answer : answers)
        EXPECT_FALSE(decode_symbol(answer)) << to_hex(answer);
}

TEST(Symbol, refuses_what_steers_a_terminal_or_is_no_text) {
    for (std::string_view const text :
         {"US\nDT", "\x1b[31m", "US\x7f", "\xc2\x85",
          "\xe2\x80\xae"
          "TDSU",
          "US\xe2\x80\x8b"
          "DT",
          "\xef\xbb\xbfUSDT", "\xff", "\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80",
          "\xe2\x28\xa1", "\x80"}) {
        EXPECT_FALSE(decode_symbol(abi_string(text))) << text;
        EXPECT_FALSE(decode_symbol(word_of(text))) << text;
    }
    // Behind what is kept as well.
    EXPECT_FALSE(decode_symbol(abi_string(std::string(40, 'a') + "\n")));
}

}  // namespace
}  // namespace sycee
