// What a seed draws: the mix of troubles, the chains and their nodes, the merchants, the processes.
#include "world_state.hpp"

#include <algorithm>

namespace sycee::simulation {

using namespace std::chrono_literals;

void World::draw_mix() {
    auto const some = [this](unsigned permille) { return rng_.chance(permille); };
    mix_.reorgs = some(700);
    mix_.reorg_permille = static_cast<unsigned>(rng_.between(20, 200));
    mix_.drop_permille = some(500) ? static_cast<unsigned>(rng_.between(20, 400)) : 0;
    mix_.flips = some(400);
    mix_.stalls = some(300);
    mix_.node_faults = some(600);
    mix_.lies = some(500);
    mix_.crashes = some(400);
    mix_.pauses = some(300);
    mix_.clock_jumps = some(250);
    mix_.restarts = some(200);
    mix_.store_faults = some(400);
    mix_.shop_faults = some(300);
    mix_.head_faults = some(300);
    mix_.hostile_logs = some(500);
    mix_.withdrawals = some(500);
    mix_.silent_raises = mix_.withdrawals && some(200);
    mix_.old_offers = some(200);
    duration_ = rng_.time(150'000, 400'000);
    safety_ends_ = kStart + duration_;
    if (mix_.store_faults) {
        store_faults_.lost_before_permille = static_cast<unsigned>(rng_.between(0, 40));
        store_faults_.lost_after_permille = static_cast<unsigned>(rng_.between(0, 40));
        store_faults_.slowest = rng_.time(20, 1'500);
    }
    if (mix_.shop_faults) {
        shops_.refuses_permille = static_cast<unsigned>(rng_.between(0, 400));
        shops_.silent_permille = static_cast<unsigned>(rng_.between(0, 300));
        shops_.lost_answer_permille = static_cast<unsigned>(rng_.between(0, 300));
    }
}

void World::draw_network() {
    std::uint64_t const count = rng_.chance(450) ? 1 : rng_.chance(800) ? 2 : 3;
    network_.public_url = "https://pay.example";
    for (std::uint64_t i = 0; i < count; ++i) {
        ChainSettings settings;
        settings.id = i == 0 ? 1 : i == 1 ? 56 : 137;
        settings.name = "chain " + std::to_string(settings.id);
        settings.block_time = rng_.time(3'000, 12'000);
        unsigned const decimals = i == 1 ? 18 : 6;
        for (std::uint8_t token = 0; token < 2; ++token) {
            TokenSettings listed;
            listed.symbol = token == 0 ? "USDT" : "USDC";
            listed.contract = Address{rng_.bytes<20>()};
            listed.decimals = decimals;
            Amount const unit = power_of_ten(decimals);
            if (rng_.chance(600)) {
                listed.tolerance.absolute = multiply_divide_down(
                    unit, Amount(static_cast<Uint128>(rng_.between(0, 200))), Amount(100));
                listed.tolerance.basis_points = static_cast<std::uint32_t>(rng_.between(0, 100));
            }
            settings.tokens.push_back(listed);
        }
        static std::vector<std::string> const rules{"1",
                                                    "3",
                                                    "finalized",
                                                    "100:1,1000:3,finalized",
                                                    "500:2,6",
                                                    "100:1,finalized",
                                                    "1000:1,5000:4,finalized",
                                                    "2000:3,8"};
        settings.finality.bands = parse_bands(rng_.pick(rules)).value();
        if (rng_.chance(500)) {
            settings.finality.most_not_final =
                multiply_divide_down(Amount(static_cast<Uint128>(rng_.between(100, 6'000))),
                                     power_of_ten(kValueDecimals), Amount(1));
        }
        auto const endpoints = static_cast<std::size_t>(rng_.chance(350)   ? 1
                                                        : rng_.chance(300) ? 2
                                                        : rng_.chance(800) ? 3
                                                                           : 4);
        settings.quorum = static_cast<std::size_t>(
            endpoints == 1     ? 1
            : rng_.chance(250) ? 1
                               : 1 + rng_.below(std::min<std::size_t>(endpoints, 3)));
        settings.endpoints.resize(endpoints);
        network_.chains.push_back(std::move(settings));
    }
    reduced_ = network_;
    if (reduced_.chains.size() > 1 && rng_.chance(500)) {
        reduced_.chains.pop_back();
    } else {
        reduced_.chains[rng_.below(reduced_.chains.size())].tokens.pop_back();
    }
    for (ChainSettings const& settings : network_.chains) {
        chains_.push_back(std::make_unique<SimChain>(settings.id, kStart - 60s, rng_.fork()));
        plans_.push_back({.tick = settings.block_time,
                          .finality_lag = static_cast<BlockNumber>(rng_.between(2, 9)),
                          .include_permille = static_cast<unsigned>(rng_.between(400, 1'000))});
        auto& nodes = nodes_.emplace_back();
        for (std::size_t index = 0; index < settings.endpoints.size(); ++index) {
            nodes.push_back(std::make_unique<SimNode>(
                scheduler_, *chains_.back(), settings,
                "node " + std::to_string(index) + " of chain " + std::to_string(settings.id),
                rng_.fork()));
            SimNode& node = *nodes.back();
            node.reached = [this](std::string const& what) { reach(what); };
            node.hides_well = [this](BlockHash const& hash) { checker_->may_be_misread(hash); };
            node.some_deposit_address = [this] {
                return created_.empty() ? Address{}
                                        : created_[rng_.below(created_.size())].deposit_address;
            };
            if (mix_.head_faults) {
                node.faults.lost_heads_permille = static_cast<unsigned>(rng_.between(0, 500));
                node.faults.double_heads_permille = static_cast<unsigned>(rng_.between(0, 500));
                node.faults.odd_heads_permille = static_cast<unsigned>(rng_.between(0, 500));
            }
        }
        // Fewer than the quorum may lie, and always the same ones: what two liars said at different
        // times would be the word of two as well.
        std::size_t const liars = settings.quorum > 1 ? settings.quorum - 1 : nodes.size();
        for (std::size_t liar = 0; liar < liars; ++liar)
            nodes[settings.quorum > 1 && rng_.chance(500) ? nodes.size() - 1 - liar : liar]
                ->may_lie = true;
    }
}

FeeSchedule World::draw_fees() {
    FeeSchedule fees{.version = 1};
    if (!rng_.chance(400)) fees.basis_points = static_cast<std::uint32_t>(rng_.between(1, 300));
    fees.rounding = static_cast<FeeRounding>(rng_.between(0, 2));
    if (rng_.chance(300)) fees.fixed = Amount(static_cast<std::uint64_t>(rng_.between(1, 100)));
    if (rng_.chance(200)) fees.minimum = Amount(static_cast<std::uint64_t>(rng_.between(1, 100)));
    if (rng_.chance(200)) {
        auto const above = Amount(static_cast<std::uint64_t>(rng_.between(0, 200)));
        fees.maximum = fees.minimum + above;
    }
    return fees;
}

void World::draw_merchants() {
    auto const count = rng_.between(1, 3);
    for (std::int64_t i = 0; i < count; ++i) {
        StoredMerchant stored;
        Bytes<10> const random = rng_.bytes<10>();
        stored.merchant.id = MerchantId{make_uuid_v7(kStart, random)};
        stored.merchant.name = "merchant " + std::to_string(i);
        stored.merchant.fees = draw_fees();
        stored.webhook_url = "https://shop.example/" + std::to_string(i);
        stored.endpoint_id = {stored.merchant.id.uuid};
        stored.has_webhook = rng_.chance(900);
        // The generator of the curve under a chain code of the merchant's own.
        stored.key.depth = 4;
        stored.key.chain_code = rng_.bytes<32>();
        stored.key.key =
            bytes_from_hex<33>("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
                .value();
        merchants_.push_back(stored.merchant.id);
        store_.add_merchant(std::move(stored));
    }
}

void World::draw_slots() {
    auto const count = rng_.chance(500) ? 1 : rng_.chance(800) ? 2 : 3;
    for (int i = 0; i < count; ++i) {
        slots_.push_back({.name = "process " + std::to_string(i),
                          .gateway = nullptr,
                          .reduced_offer = mix_.old_offers && rng_.chance(600)});
    }
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
        scheduler_.after(slot == 0 ? 0ms : rng_.time(0, 8'000),
                         [this, slot] { start_process(slot); });
    }
}

}  // namespace sycee::simulation
