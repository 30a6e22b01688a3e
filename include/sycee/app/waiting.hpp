#pragma once

#include <sycee/app/settings.hpp>
#include <sycee/base/amount.hpp>
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>
#include <sycee/evm/address.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sycee {

// How old money is that waits, by the time of its block: under ten minutes, under an hour, under a
// day, and older.
constexpr std::array kWaitingEdges{std::chrono::seconds{600}, std::chrono::seconds{3'600},
                                   std::chrono::seconds{86'400}};
constexpr std::size_t kWaitingAges = kWaitingEdges.size() + 1;

struct WaitingSum {
    std::uint64_t count = 0;
    Amount amount;

    bool operator==(WaitingSum const&) const = default;
};

// What of all merchants has arrived in one token of one chain and is neither settled nor on the
// exceptions desk.
struct WaitingMoney {
    ChainId chain_id = 0;
    Address token;
    bool cleared = false;  // waits for finality; else for confirmations, or for the rest of a price
    std::array<WaitingSum, kWaitingAges> by_age;
    Timestamp oldest{};  // the earliest block's time
};

// For a terminal. Pure.
std::string waiting_text(std::vector<WaitingMoney> const& waiting, Network const& network);

}  // namespace sycee
