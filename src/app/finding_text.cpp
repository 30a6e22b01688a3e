#include <sycee/app/finding_text.hpp>
#include <sycee/app/token_text.hpp>

namespace sycee {
namespace {

constexpr unsigned kCoinDecimals = 18;  // of every EVM chain's own coin

std::string booked_text(FoundTransfer const& found) {
    std::string text = "booked: ";
    text += to_string(found.stage.value_or(CreditStage::authorized));
    if (found.reason) text += " (" + std::string(to_string(*found.reason)) + ")";
    if (!found.exception) return text;
    if (found.resolved == found.excess) {
        return text + "; what of it came to the exceptions desk has been decided";
    }
    text += found.stage == CreditStage::unapplied ? "; it is" : "; what is over is";
    return text +
           " on the exceptions desk, where it can be accepted, credited, kept or refunded "
           "once it is final";
}

}  // namespace

std::string chain_text(FoundOnChain const& found) {
    if (!found.fault.empty()) return "could not be asked: " + found.fault;
    if (!found.block) return "does not have this transaction";
    std::string text = "in block " + std::to_string(found.block->number);
    if (!found.succeeded) text += ", FAILED: it moved nothing";
    return text;
}

std::string found_amount(FoundTransfer const& found, ChainId chain_id, Network const& network) {
    if (found.kind == FoundAs::native_coin) {
        return to_short_decimal(found.amount, kCoinDecimals) + " of the chain's own coin";
    }
    return token_amount(network, chain_id, found.contract, found.amount);
}

std::string advice(FoundTransfer const& found) {
    switch (found.kind) {
        case FoundAs::booked:
            return booked_text(found);
        case FoundAs::not_read_yet:
            return "in a block that is not processed yet: it will be booked";
        case FoundAs::unlisted_token:
            return "a token that is not configured: it credits nothing. The coins lie at this "
                   "address of the merchant's wallet, which can move them";
        case FoundAs::native_coin:
            return "the chain's own coin: it credits nothing. It lies at this address of the "
                   "merchant's wallet, which can move it";
        case FoundAs::malformed:
            return "a log that no payment writes, or of an amount of zero: nothing arrived";
        case FoundAs::not_booked:
            return "NOT BOOKED although its block is processed: run `sycee verify` and ask for "
                   "help";
    }
    return "";
}

}  // namespace sycee
