// Pins: EIP-55, EIP-681, ABI words, and that only well-formed Transfer logs of configured tokens
// count.
#include <sycee/crypto/hash.hpp>
#include <sycee/evm/abi.hpp>
#include <sycee/evm/address.hpp>
#include <sycee/evm/payment_uri.hpp>
#include <sycee/evm/transfer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace sycee {
namespace {

Address address(char const* text) {
    return parse_address(text).value();
}

// EIP-55's own vectors.
TEST(Address, carries_the_checksum_of_eip_55) {
    for (char const* text : {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
                             "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
                             "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
                             "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
                             "0x52908400098527886E0F7030069857D2E4169EE7",
                             "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
                             "0xde709f2102306220921060314715629080e2fb77",
                             "0x27b1fdb04752bbc536007a920d24acb045561c26"}) {
        EXPECT_EQ(to_string(address(text)), text);
    }
}

TEST(Address, refuses_a_wrong_checksum_and_other_shapes) {
    EXPECT_TRUE(parse_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"));
    EXPECT_TRUE(parse_address("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED"));
    for (char const* text :
         {"0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
          "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
          "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedd",
          "0xgaAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "", "0x"}) {
        EXPECT_FALSE(parse_address(text)) << text;
    }
}

// The default accounts of Anvil and Hardhat, from the extended key of m/44'/60'/0'/0.
TEST(Address, derives_from_an_extended_public_key_as_wallets_do) {
    auto const chain = parse_extended_public_key(
        "xpub6DyUKdwoLWmUJ4Tn9Bbsdtx7B5Ws18mEN19e5HT52ikE53FiUheSQXrZUNPovqfyKmw4579A1Mm3GXXKM39N64"
        "u"
        "ooBfJ4tNAzFsEbodRTx4");
    ASSERT_TRUE(chain);
    for (auto const& [index, expected] : std::vector<std::pair<std::uint32_t, char const*>>{
             {0, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"},
             {1, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"},
             {2, "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"},
             {100, "0x8C3229EC621644789d7F61FAa82c6d0E5F97d43D"},
             {2147483647, "0x9d90537E6c8631CF4cBf3F3049519844027a3d68"}}) {
        EXPECT_EQ(to_string(address_of(derive_child(*chain, index)->key)), expected);
    }
}

TEST(PaymentUri, is_the_plain_form_of_eip_681) {
    EXPECT_EQ(payment_uri(1, address("0xdAC17F958D2ee523a2206206994597C13D831ec7"),
                          address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"), Amount(1'500'000)),
              "ethereum:0xdAC17F958D2ee523a2206206994597C13D831ec7@1/transfer"
              "?address=0x70997970C51812dc3A010C7d01b50e0d17dc79C8&uint256=1500000");
    EXPECT_EQ(payment_uri(1, address("0xdAC17F958D2ee523a2206206994597C13D831ec7"),
                          address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"), std::nullopt),
              "ethereum:0xdAC17F958D2ee523a2206206994597C13D831ec7@1/transfer"
              "?address=0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
}

TEST(Abi, encodes_calls_and_reads_one_word) {
    EXPECT_EQ(to_hex(decimals_call()), "313ce567");
    EXPECT_EQ(to_hex(balance_of_call(address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"))),
              "70a0823100000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8");
    Bytes32 word{};
    word[31] = 6;
    EXPECT_EQ(*decode_amount(word), Amount(6));
    EXPECT_FALSE(decode_amount({}));
    EXPECT_FALSE(decode_amount(ByteView(word).first(31)));
}

std::string const kTo = "00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8";
std::string const kFrom = "000000000000000000000000f39fd6e51aad88f6f4ce6ab8827279cfffb92266";
std::string const kFifty = "0000000000000000000000000000000000000000000000000000000002faf080";

std::optional<TransferCall> decoded(std::string const& hex) {
    auto const data = from_hex(hex);
    EXPECT_TRUE(data) << hex;
    return decode_transfer_call(*data);
}

TEST(TransferCalls, are_read_as_wallets_and_contracts_write_them) {
    for (std::string const& call : {"a9059cbb" + kTo + kFifty, "23b872dd" + kFrom + kTo + kFifty,
                                    "a9059cbb" + kTo + kFifty + "62635f7369676e6174757265"}) {
        auto const transfer = decoded(call);
        ASSERT_TRUE(transfer) << call;
        EXPECT_EQ(transfer->recipient, address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"));
        EXPECT_EQ(transfer->amount, Amount(50'000'000));
    }
    std::string const largest = std::string(32, '0') + std::string(32, 'f');
    EXPECT_EQ(decoded("a9059cbb" + kTo + largest)->amount, Amount::max());
}

TEST(TransferCalls, of_which_nothing_would_be_booked_are_none) {
    std::string const dirty = "01" + kTo.substr(2);
    for (std::string const& call :
         {std::string(), std::string("a9059c"), std::string("a9059cbb"),
          "a9059cbb" + kTo + kFifty.substr(2),      // a byte too short
          "23b872dd" + kTo + kFifty,                // a word too short
          "095ea7b3" + kTo + kFifty,                // approve(address,uint256)
          "a9059cbb" + dirty + kFifty,              // no address
          "23b872dd" + dirty + kTo + kFifty,        // no address
          "a9059cbb" + kTo + std::string(64, '0'),  // nothing
          "a9059cbb" + kTo + std::string(31, '0') + "1" + std::string(32, '0')}) {  // 2^128
        EXPECT_FALSE(decoded(call)) << call;
    }
}

class TransferLogs : public ::testing::Test {
  protected:
    static Bytes32 hash(std::uint8_t value) {
        Bytes32 bytes{};
        bytes[0] = value;
        return bytes;
    }
    static Bytes32 topic_of(Address const& who) {
        Bytes32 topic{};
        std::copy(who.bytes.begin(), who.bytes.end(), topic.begin() + 12);
        return topic;
    }
    Log transfer(std::uint32_t index, std::uint8_t amount, std::uint8_t txn = 1) const {
        Log log;
        log.contract = token;
        log.topics = {transfer_topic(), topic_of(sender), topic_of(recipient)};
        log.data.assign(32, 0);
        log.data[31] = amount;
        log.block_number = block.number;
        log.block_hash = block.hash;
        log.transaction_hash = hash(txn);
        log.log_index = index;
        return log;
    }
    DecodedTransfers decode(std::vector<Log> const& logs) const {
        std::vector<Address> const tokens{token};
        return decode_transfers(1, block, tokens, logs);
    }

    Address token = address("0xdAC17F958D2ee523a2206206994597C13D831ec7");
    Address sender = address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    Address recipient = address("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
    BlockHeader block{7, hash(7), hash(6), timestamp_from_seconds(1'700'000'000)};
};

TEST_F(TransferLogs, two_in_one_transaction_are_two_transfers) {
    auto const decoded = decode({transfer(3, 10), transfer(5, 20), transfer(6, 30, 2)});
    ASSERT_EQ(decoded.transfers.size(), 3U);
    EXPECT_EQ(decoded.transfers[0].key.ordinal, 0U);
    EXPECT_EQ(decoded.transfers[1].key.ordinal, 1U);
    EXPECT_EQ(decoded.transfers[2].key.ordinal, 0U);
    EXPECT_EQ(decoded.transfers[1].amount, Amount(20));
    EXPECT_EQ(decoded.transfers[1].recipient, recipient);
    EXPECT_EQ(decoded.transfers[1].block_time, block.time);
}

TEST_F(TransferLogs, hostile_logs_credit_nothing_and_keep_their_ordinal) {
    std::vector<std::function<void(Log&)>> const damages{[](Log& log) { log.topics.pop_back(); },
                                                         [](Log& log) { log.topics.push_back(log.topics[1]); },
                                                         [](Log& log) { log.data.pop_back(); },
                                                         [](Log& log) { log.data.push_back(0); },
                                                         [](Log& log) { log.data.assign(32, 0xff); },
                                                         [](Log& log) { log.data[15] = 1; },
                                                         [](Log& log) { log.topics[1][11] = 1; },
                                                         [](Log& log) { log.topics[2][0] = 1; }};
    for (auto const& damage : damages) {
        Log hostile = transfer(1, 10);
        damage(hostile);
        auto const decoded = decode({hostile, transfer(2, 10)});
        EXPECT_EQ(decoded.malformed, 1U);
        ASSERT_EQ(decoded.transfers.size(), 1U);
        EXPECT_EQ(decoded.transfers[0].key.ordinal, 1U);
    }
}

TEST_F(TransferLogs, zero_value_is_never_booked) {
    auto const decoded = decode({transfer(1, 0)});
    EXPECT_TRUE(decoded.transfers.empty());
    EXPECT_EQ(decoded.zero_value, 1U);
}

TEST_F(TransferLogs, other_contracts_and_events_are_not_looked_at) {
    Log fake = transfer(1, 10);
    fake.contract.bytes[0] ^= 1;
    Log approval = transfer(2, 10);
    approval.topics[0][0] ^= 1;
    Log anonymous = transfer(3, 10);
    anonymous.topics.clear();
    auto const decoded = decode({fake, approval, anonymous, transfer(4, 10)});
    EXPECT_EQ(decoded.malformed, 0U);
    ASSERT_EQ(decoded.transfers.size(), 1U);
    EXPECT_EQ(decoded.transfers[0].key.ordinal, 0U);
    EXPECT_EQ(decoded.transfers[0].log_index, 4U);
}

}  // namespace
}  // namespace sycee
