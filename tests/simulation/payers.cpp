// Shops that order, payers of all manners, and merchants that move their money.
#include <sycee/runtime/errors.hpp>

#include "world_state.hpp"

#include <algorithm>

namespace sycee::simulation {

using namespace std::chrono_literals;

void World::plan_payments() {
    auto const count = rng_.between(3, 12);
    for (std::int64_t i = 0; i < count; ++i) {
        MerchantId const merchant = rng_.pick(merchants_);
        scheduler_.after(rng_.time(1'000, duration_.count() * 2 / 3),
                         [this, merchant] { order(merchant); });
    }
    if (mix_.withdrawals) {
        for (milliseconds at = rng_.time(20'000, 80'000); at < duration_;
             at += rng_.time(5'000, 60'000)) {
            scheduler_.after(at, [this] { move_out(); });
        }
    }
}

void World::order(MerchantId merchant) {
    static std::vector<std::string> const prices{
        "0.01",   "1.00",   "19.99",  "50.00",   "99.99",   "100.00",  "333.33",
        "499.99", "750.00", "999.99", "1000.00", "2500.00", "12000.00"};
    CreatePayment input;
    input.amount = rng_.pick(prices);
    input.open_amount = input.amount == "1.00";
    input.currency = "USD";
    input.expires_in = rng_.between(60, 240);
    try_order(merchant, std::move(input), 0);
}

void World::try_order(MerchantId merchant, CreatePayment input, unsigned attempt) {
    std::vector<Gateway*> alive;
    for (Slot const& slot : slots_) {
        if (slot.gateway) alive.push_back(slot.gateway.get());
    }
    auto const again = [this, merchant, input, attempt] {
        if (attempt > 30) return;
        scheduler_.after(
            2s, [this, merchant, input, attempt] { try_order(merchant, input, attempt + 1); });
    };
    if (alive.empty()) return again();
    Gateway* gateway = alive[rng_.below(alive.size())];
    auto task = [](Gateway* on, MerchantId id, CreatePayment body,
                   std::function<void(Payment const&)> done,
                   std::function<void()> failed) -> Task<void> {
        std::optional<Payment> made;
        try {
            auto state = co_await on->create(id, std::move(body));
            if (state) made = state->payment;
        } catch (Unavailable const&) {
            made.reset();
        }
        if (made) {
            done(*made);
        } else {
            failed();
        }
    };
    auto done = [this](Payment const& payment) {
        last_expiry_ = std::max(last_expiry_, payment.expires_at);
        pay(payment);
    };
    scheduler_.spawn(task(gateway, merchant, std::move(input), done, again),
                     [this](std::exception_ptr error) {
                         if (error) checker_->fail("no task ends", "creating a payment failed");
                     });
}

void World::send(ChainId chain_id, milliseconds wait, TransactionPointer transaction) {
    std::size_t const chain = index_of(chain_id);
    ++outcome_.transfers;
    ++to_be_sent_;
    scheduler_.after(wait, [this, chain, transaction] {
        --to_be_sent_;
        chains_[chain]->submit(transaction);
    });
}

void World::send_plain(PaymentOption const& option, Payment const& payment, Amount amount,
                       milliseconds wait) {
    if (amount.is_zero()) return;
    auto transaction = new_transaction();
    transaction.transfer(option.token, payer(), payment.deposit_address, amount);
    send(option.chain_id, wait, std::make_shared<SimTransaction>(std::move(transaction).take()));
}

PaymentOption const& World::some_option(Payment const& payment) {
    return rng_.pick(payment.options);
}

void World::pay(Payment const& payment) {
    created_.push_back(payment);
    for (auto const& chain : chains_)
        chain->watch(payment.deposit_address);
    ++outcome_.payments;
    say("payment " + to_string(payment.id) + " of " + to_string(payment.price));
    pay_by(static_cast<unsigned>(rng_.below(24)), payment);
    if (mix_.hostile_logs && rng_.chance(500)) send_hostile(payment);
    if (rng_.chance(250)) {
        PaymentKey const key{payment.merchant_id, payment.id};
        scheduler_.after(rng_.time(0, 60'000), [this, key] { give_up(key, 0); });
    }
}

// The shop cancels, again and again until it has an answer.
void World::give_up(PaymentKey key, unsigned attempt) {
    std::vector<Gateway*> alive;
    for (Slot const& slot : slots_) {
        if (slot.gateway) alive.push_back(slot.gateway.get());
    }
    auto const again = [this, key, attempt] {
        if (attempt > 30) return;
        scheduler_.after(2s, [this, key, attempt] { give_up(key, attempt + 1); });
    };
    if (alive.empty()) return again();
    auto task = [](Gateway* on, PaymentKey of, std::function<void(bool)> done,
                   std::function<void()> failed) -> Task<void> {
        std::optional<bool> canceled;
        try {
            auto const state = co_await on->cancel(of);
            canceled = state.has_value();
        } catch (Unavailable const&) {
            canceled.reset();
        }
        if (canceled) {
            done(*canceled);
        } else {
            failed();
        }
    };
    auto done = [this, key](bool canceled) {
        if (!canceled) reach("a cancellation is refused");
        if (canceled && !store_.state_of(key).canceled)
            checker_->fail("what is said is so", "canceled " + to_string(key.second));
    };
    scheduler_.spawn(task(alive[rng_.below(alive.size())], key, done, again),
                     [this](std::exception_ptr error) {
                         if (error) checker_->fail("no task ends", "canceling a payment failed");
                     });
}

// Mostly more than the least.
Amount World::some_of_open(PaymentOption const& option) {
    return multiply_divide_up(option.amount, Amount(static_cast<Uint128>(rng_.between(9, 9'000))),
                              Amount(10));
}

void World::pay_by(unsigned manner, Payment const& payment) {
    PaymentOption const option = some_option(payment);
    Amount const due = payment.open_amount ? some_of_open(option) : option.amount;
    auto const part = [](Amount amount, std::int64_t percent) {
        return multiply_divide_down(amount, Amount(static_cast<Uint128>(percent)), Amount(100));
    };
    milliseconds const soon = rng_.chance(300) ? 0ms : rng_.time(0, 20'000);
    milliseconds const left = std::max<milliseconds>(payment.expires_at - scheduler_.now(), 0ms);
    Amount const one(1);
    switch (manner) {
        case 0:
        case 1:
        case 2:
            return send_plain(option, payment, due, soon);
        case 3: {  // in several transactions
            Amount rest = due;
            auto const parts = rng_.between(2, 6);
            for (std::int64_t i = 1; i < parts; ++i) {
                Amount const some = part(rest, rng_.between(10, 60));
                send_plain(option, payment, some, soon + rng_.time(0, 30'000));
                rest -= some;
            }
            return send_plain(option, payment, rest, soon + rng_.time(0, 30'000));
        }
        case 4: {  // two transfers of one transaction, from one sender
            auto transaction = new_transaction();
            Address const from = payer();
            Amount const first = part(due, rng_.between(10, 90));
            if (first.is_zero()) return send_plain(option, payment, due, soon);
            transaction.transfer(option.token, from, payment.deposit_address, first);
            transaction.transfer(option.token, from, payment.deposit_address, due - first);
            return send(option.chain_id, soon,
                        std::make_shared<SimTransaction>(std::move(transaction).take()));
        }
        case 5:  // too little, and no more
            return send_plain(option, payment, part(due, rng_.between(10, 80)), soon);
        case 6:  // exactly within the tolerance
            return send_plain(option, payment, due - option.tolerance, soon);
        case 7:  // just below it
            if (option.tolerance + one >= due) return;
            return send_plain(option, payment, due - option.tolerance - one, soon);
        case 8:  // too much
            return send_plain(option, payment, due + part(due, rng_.between(1, 150)) + one, soon);
        case 9:  // late
            return send_plain(option, payment, due, left + rng_.time(0, 60'000));
        case 10:  // about the moment of expiry
            return send_plain(option, payment, due,
                              std::max<milliseconds>(0ms, left - 20s + rng_.time(0, 30'000)));
        case 11:  // twice at once
            send_plain(option, payment, due, soon);
            return send_plain(option, payment, due, soon + rng_.time(0, 4'000));
        case 12:  // once more, after it is settled perhaps
            send_plain(option, payment, due, soon);
            return send_plain(option, payment, due, soon + rng_.time(20'000, 150'000));
        case 13: {  // in two tokens or on two chains
            PaymentOption const other = some_option(payment);
            auto const percent = rng_.between(10, 90);
            send_plain(option, payment, part(option.amount, percent), soon);
            return send_plain(other, payment, other.amount - part(other.amount, percent) + one,
                              soon + rng_.time(0, 20'000));
        }
        case 14: {  // any token that is configured, offered or not
            ChainSettings const& chain = rng_.pick(network_.chains);
            TokenSettings const& token = rng_.pick(chain.tokens);
            PaymentOption const any{chain.id, token.contract,
                                    pegged_amount(payment.price, 2, token.decimals), Amount{}};
            return send_plain(any, payment, any.amount, soon);
        }
        case 15: {  // dust, and then the price
            for (int i = 0; i < 5; ++i)
                send_plain(option, payment, Amount(static_cast<Uint128>(rng_.between(1, 50))),
                           rng_.time(0, 40'000));
            return send_plain(option, payment, due, soon);
        }
        case 16: {  // a token that takes a fee: two logs
            auto transaction = new_transaction();
            Address const from = payer();
            Amount const fee = part(due, 1) + one;
            if (fee >= due) return send_plain(option, payment, due, soon);
            transaction.transfer(option.token, from, payment.deposit_address, due - fee);
            transaction.transfer(option.token, from, payer(), fee);
            send(option.chain_id, soon,
                 std::make_shared<SimTransaction>(std::move(transaction).take()));
            return send_plain(option, payment, fee, soon + 10s);
        }
        case 17: {  // minted
            auto transaction = new_transaction();
            transaction.transfer(option.token, Address{}, payment.deposit_address, due);
            return send(option.chain_id, soon,
                        std::make_shared<SimTransaction>(std::move(transaction).take()));
        }
        case 18: {  // a hundred small ones buy no lower band
            auto const parts = rng_.between(4, 12);
            Amount const each = part(due, 100 / parts);
            Amount rest = due;
            for (std::int64_t i = 0; i < parts && rest > each && !each.is_zero(); ++i) {
                send_plain(option, payment, each, soon + rng_.time(0, 15'000));
                rest -= each;
            }
            return send_plain(option, payment, rest + due, soon + rng_.time(0, 15'000));
        }
        case 19: {  // half of it in time, half of it late
            send_plain(option, payment, part(due, 50), soon);
            return send_plain(option, payment, due - part(due, 50),
                              left + rng_.time(-15'000, 30'000));
        }
        case 20: {  // in two tokens, each with a rest that its unit rounds away
            PaymentOption const other = some_option(payment);
            send_plain(option, payment, part(option.amount, 33) + one, soon);
            send_plain(other, payment, part(other.amount, 33) + one, soon + 3s);
            return send_plain(option, payment, part(option.amount, 34), soon + 9s);
        }
        case 21:  // logs that are none, between two that are
        {
            auto transaction = new_transaction();
            Address const from = payer();
            SimLog broken = transfer_log(option.token, from, payment.deposit_address, due);
            broken.data.pop_back();
            Amount const first = part(due, 50);
            if (first.is_zero()) return send_plain(option, payment, due, soon);
            transaction.transfer(option.token, from, payment.deposit_address, first);
            transaction.other(std::move(broken), true);
            transaction.transfer(option.token, from, payment.deposit_address, due - first);
            return send(option.chain_id, soon,
                        std::make_shared<SimTransaction>(std::move(transaction).take()));
        }
        default:
            return;  // never
    }
}

void World::send_hostile(Payment const& payment) {
    PaymentOption const option = some_option(payment);
    auto transaction = new_transaction();
    Address const to = payment.deposit_address;
    Address const from = payer();
    SimLog log = transfer_log(option.token, from, to, option.amount);
    bool counts = true;
    switch (rng_.below(8)) {
        case 0:
            log.topics.push_back(rng_.bytes<32>());
            break;
        case 1:
            log.data.resize(31);
            break;
        case 2:
            log.topics[2][3] = 1;
            break;
        case 3:
            log.data[15] = 1;
            break;
        case 4:
            log = transfer_log(option.token, from, to, Amount{});
            break;
        case 5:
            log.contract = Address{rng_.bytes<20>()};
            break;
        case 6:
            log.topics[0] = rng_.bytes<32>();
            counts = false;
            break;
        default:
            log.topics.pop_back();
            break;
    }
    reach("a hostile log");
    transaction.other(std::move(log), counts);
    if (rng_.chance(300)) transaction.transfer(option.token, from, to, Amount(1));
    send(option.chain_id, rng_.time(0, 30'000),
         std::make_shared<SimTransaction>(std::move(transaction).take()));
}

// The merchant moves money out, within its addresses, or from an address to itself.
void World::move_out() {
    std::size_t const index = rng_.below(chains_.size());
    SimChain& chain = *chains_[index];
    std::vector<std::pair<Address, Address>> holdings;
    for (auto const& [key, balance] : chain.head().balances) {
        if (!balance.is_zero()) holdings.push_back(key);
    }
    if (mix_.silent_raises && !created_.empty() && rng_.chance(200)) {
        Address const holder = rng_.pick(created_).deposit_address;
        Address const token = rng_.pick(network_.chains[index].tokens).contract;
        chain.raise_silently(holder, token, Amount(777));
        auto transaction = new_transaction();
        auto const balance = chain.head().balances.at({holder, token});
        transaction.transfer(token, holder, payer(), balance);
        return send(chain.id(), 0ms,
                    std::make_shared<SimTransaction>(std::move(transaction).take()));
    }
    if (holdings.empty()) return;
    auto const [holder, token] = rng_.pick(holdings);
    Amount const balance = chain.head().balances.at({holder, token});
    Amount const amount =
        rng_.chance(500)
            ? balance
            : multiply_divide_up(balance, Amount(static_cast<Uint128>(rng_.between(1, 99))),
                                 Amount(100));
    Address to = payer();
    auto const where = rng_.below(10);
    if (where < 2) to = holder;
    if (where >= 2 && where < 4) to = rng_.pick(created_).deposit_address;
    auto transaction = new_transaction();
    transaction.transfer(token, holder, to, amount);
    send(chain.id(), rng_.time(0, 5'000),
         std::make_shared<SimTransaction>(std::move(transaction).take()));
}

}  // namespace sycee::simulation
