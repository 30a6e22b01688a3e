#include <sycee/base/assert.hpp>
#include <sycee/runtime/random.hpp>
#include <sycee/store/pg_test_chain.hpp>

#include "idempotency_rows.hpp"
#include "session.hpp"
#include "values.hpp"

#include <algorithm>
#include <string>

namespace sycee {
namespace {

// Before the moment of the first question, so that there are blocks to be final.
constexpr auto kAge = kTestBlockTime * (2 * kTestBlocksToFinal);

std::string const& state_columns() {
    static std::string const columns = "seed, head, " + time_column("genesis");
    return columns;
}

std::string const& transfer_columns() {
    static std::string const columns =
        "merchant_id, transaction_hash, token, sender, recipient, amount, block_number, gone_at";
    return columns;
}

TestChainState state_of(pqxx::row const& row) {
    return {.seed = bytes_of<32>(row["seed"]),
            .genesis = time_of(row["genesis"]),
            .head = number_of(row["head"])};
}

std::vector<TestTransfer> transfers_of(pqxx::result const& rows) {
    std::vector<TestTransfer> transfers;
    for (auto const& row : rows) {
        TestTransfer transfer{.merchant_id = id_of<MerchantTag>(row["merchant_id"]),
                              .transaction_hash = bytes_of<32>(row["transaction_hash"]),
                              .token = address_in(row["token"]),
                              .sender = address_in(row["sender"]),
                              .recipient = address_in(row["recipient"]),
                              .amount = amount_of(row["amount"]),
                              .block_number = number_of(row["block_number"])};
        if (!row["gone_at"].is_null()) transfer.gone_at = number_of(row["gone_at"]);
        transfers.push_back(transfer);
    }
    return transfers;
}

// The head that the database's clock says, where it is newer than the one that was told.
std::optional<TestChainState> told_anew(pqxx::work& tx) {
    auto const rows = tx.exec_params(
        "WITH time AS (SELECT floor(extract(epoch FROM clock_timestamp() - genesis) / $1)::bigint"
        " AS newest FROM test_chain)"
        " UPDATE test_chain SET head = newest FROM time WHERE head < newest"
        " RETURNING " +
            state_columns(),
        kTestBlockTime.count());
    if (rows.empty()) return std::nullopt;
    return state_of(rows[0]);
}

void begin(pqxx::work& tx) {
    // Whole seconds, as block times are.
    tx.exec_params(
        "INSERT INTO test_chain (seed, genesis, head)"
        " SELECT $1, date_trunc('second', clock_timestamp()) - make_interval(secs => $2), 0"
        " ON CONFLICT DO NOTHING",
        to_sql(ByteView(random_bytes<32>())), kAge.count());
}

// The first block from there on that is not full.
BlockNumber with_room(pqxx::work& tx, BlockNumber first) {
    constexpr BlockNumber kMostLater = 1'000;
    auto const found = tx.exec_params(
        "SELECT n FROM generate_series($1::bigint, $2::bigint) n WHERE (SELECT count(*)"
        " FROM test_chain_transfers t WHERE t.block_number = n) < $3 ORDER BY n LIMIT 1",
        first, first + kMostLater, kMostTestTransfers);
    if (found.empty()) throw Unavailable("the next blocks of the test chain are full");
    return number_of(found.at(0)[0]);
}

}  // namespace

Task<TestChainState> PgTestChain::advance() {
    auto work = [](pqxx::work& tx) {
        if (auto const newer = told_anew(tx)) return *newer;
        auto rows = tx.exec("SELECT " + state_columns() + " FROM test_chain");
        if (rows.empty()) {
            begin(tx);
            if (auto const newer = told_anew(tx)) return *newer;
            rows = tx.exec("SELECT " + state_columns() + " FROM test_chain");
        }
        return state_of(rows.at(0));
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<TestTransfer>> PgTestChain::in_blocks(BlockNumber first, BlockNumber last) {
    auto work = [&](pqxx::work& tx) {
        return transfers_of(
            tx.exec_params("SELECT " + transfer_columns() +
                               " FROM test_chain_transfers WHERE block_number BETWEEN $1 AND $2"
                               " ORDER BY block_number, number",
                           to_sql(first), to_sql(last)));
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<TestTransfer>> PgTestChain::find(TransactionHash hash) {
    auto work = [&](pqxx::work& tx) -> std::optional<TestTransfer> {
        auto const found = transfers_of(
            tx.exec_params("SELECT " + transfer_columns() +
                               " FROM test_chain_transfers WHERE transaction_hash = $1",
                           to_sql(ByteView(hash))));
        if (found.empty()) return std::nullopt;
        return found.front();
    };
    co_return co_await transact(database_, work);
}

Task<std::vector<TestTransfer>> PgTestChain::of(std::vector<Address> addresses) {
    auto work = [&](pqxx::work& tx) {
        PgArray wanted;
        for (auto const& address : addresses)
            wanted.add(address);
        return transfers_of(tx.exec_params("SELECT " + transfer_columns() +
                                               " FROM test_chain_transfers"
                                               " WHERE sender = ANY($1::bytea[])"
                                               " OR recipient = ANY($1::bytea[]) ORDER BY number",
                                           wanted.str()));
    };
    co_return co_await transact(database_, work);
}

Task<std::optional<TestTransfer>> PgTestChain::add(TestTransfer transfer, TestMoment moment,
                                                   std::size_t most_of_recipient,
                                                   std::optional<IdempotencyClaim> claim) {
    if (moment.taken_back_after) {
        ensure(*moment.taken_back_after > 0 && *moment.taken_back_after <= kDeepestTestReorg,
               "test chain: a transfer is taken back too late");
    }
    co_await advance();  // to begin it, and for its time to have come
    auto work = [&](pqxx::work& tx) -> std::optional<TestTransfer> {
        // Nobody is told of another head until this is committed.
        auto const rows = tx.exec("SELECT " + state_columns() + " FROM test_chain FOR UPDATE");
        TestChainState const state = state_of(rows.at(0));
        auto const had =
            tx.exec_params("SELECT count(*) FROM test_chain_transfers WHERE recipient = $1",
                           to_sql(transfer.recipient));
        if (number_of(had.at(0)[0]) >= most_of_recipient) return std::nullopt;
        transfer.block_number = state.head + 1;
        if (moment.after) {
            transfer.block_number =
                std::max(transfer.block_number, state.first_after(*moment.after));
        }
        transfer.block_number = with_room(tx, transfer.block_number);
        transfer.gone_at.reset();
        if (moment.taken_back_after)
            transfer.gone_at = transfer.block_number + *moment.taken_back_after;
        std::optional<std::string> gone_at;
        if (transfer.gone_at) gone_at = to_sql(*transfer.gone_at);
        tx.exec_params("INSERT INTO test_chain_transfers (" + transfer_columns() +
                           ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                       to_sql(transfer.merchant_id), to_sql(ByteView(transfer.transaction_hash)),
                       to_sql(transfer.token), to_sql(transfer.sender), to_sql(transfer.recipient),
                       to_sql(transfer.amount), to_sql(transfer.block_number),
                       gone_at ? gone_at->c_str() : nullptr);
        write_claim(tx, transfer.merchant_id, claim, state.time_of(state.head));
        return transfer;
    };
    co_return co_await transact(database_, work);
}

}  // namespace sycee
