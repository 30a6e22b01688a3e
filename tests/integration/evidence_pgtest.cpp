// Pins: the evidence has every record and posting once, as of one moment, by the role of an auditor
// alone; of a period and of a merchant it has what is theirs; wrong books are given as they are.
#include <sycee/payment/journal_walk.hpp>
#include <sycee/store/pg_checkpoints.hpp>
#include <sycee/store/pg_evidence.hpp>

#include "books_fixture.hpp"

#include <nlohmann/json.hpp>

#include <sstream>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

class MemorySink final : public EvidenceSink {
  public:
    void write(std::string const& file, std::string_view text, std::uint64_t rows) override {
        if (before_write) before_write(file);
        texts[file] += text;
        row_counts[file] += rows;
    }
    void close(std::string const& file) override { closed.push_back(file); }

    std::vector<std::string> lines(std::string const& file) const {
        std::vector<std::string> lines;
        std::istringstream stream(texts.at(file));
        for (std::string line; std::getline(stream, line);)
            lines.push_back(line);
        return lines;
    }

    std::map<std::string, std::string> texts;
    std::map<std::string, std::uint64_t> row_counts;
    std::vector<std::string> closed;
    std::function<void(std::string const&)> before_write;
};

class EvidenceInPostgres : public BooksInPostgres {
  protected:
    EvidenceInPostgres() { settle(); }

    EvidenceFound take(EvidenceQuery const& query = {}) {
        sink = {};
        return run(export_evidence(*database, query, network, sink, {}));
    }
    std::vector<std::uint64_t> sequences(std::string const& kind) const {
        std::vector<std::uint64_t> sequences;
        for (std::string const& line : sink.lines("records/" + kind + ".jsonl"))
            sequences.push_back(std::stoull(Json::parse(line)["sequence"].get<std::string>()));
        return sequences;
    }

    Network network;
    MemorySink sink;
};

TEST_F(EvidenceInPostgres, has_every_record_and_posting_once) {
    auto const found = take();
    EXPECT_EQ(found.first_wrong, std::nullopt);
    EXPECT_EQ(found.records, 4U);
    EXPECT_EQ(sequences("authorization"), std::vector<std::uint64_t>{1});
    EXPECT_EQ(sequences("clearing"), std::vector<std::uint64_t>{2});
    EXPECT_EQ(sequences("settlement"), std::vector<std::uint64_t>{3});
    EXPECT_EQ(sequences("settlement_batch"), std::vector<std::uint64_t>{4});
    EXPECT_EQ(sequences("reversal"), std::vector<std::uint64_t>{});
    EXPECT_EQ(std::to_string(sink.row_counts["postings.csv"]),
              query("SELECT count(*) FROM postings"));
    EXPECT_EQ(sink.lines("postings.csv").at(1), to_hex(merchant_id.uuid.bytes) +
                                                    ",31337,1,0,coins,payer_pending," +
                                                    to_hex(kToken.bytes) + ",60000000\r");
    EXPECT_EQ(sink.closed.size(), sink.texts.size());
    EXPECT_EQ(found.schema, query("SELECT max(name) FROM schema_migrations"));
}

TEST_F(EvidenceInPostgres, needs_only_what_an_auditor_may_read) {
    query(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sycee_test_reader')"
        " THEN CREATE ROLE sycee_test_reader LOGIN; END IF; END $$");
    run(database->grant(std::nullopt, "sycee_test_reader"));
    {
        Database reader(url() + " options='-c role=sycee_test_reader'", 1);
        auto const found = run(export_evidence(
            reader, {.merchant_id = {}, .period = month_of(kStart), .with_details = true}, network,
            sink, {.connections = 2}));
        EXPECT_EQ(found.first_wrong, std::nullopt);
    }
    query("DROP OWNED BY sycee_test_reader; DROP ROLE sycee_test_reader");
}

TEST_F(EvidenceInPostgres, is_of_one_moment) {
    bool booked = false;
    sink.before_write = [&](std::string const& file) {
        if (booked || file != "payments.csv") return;
        booked = true;
        query(
            "INSERT INTO finality_rules SELECT chain_id, 99, bands, most_not_final, created_at"
            " FROM finality_rules LIMIT 1");
    };
    run(export_evidence(*database, {}, network, sink, {}));
    EXPECT_TRUE(booked);
    EXPECT_EQ(sink.texts.at("finality_rules.csv").find(",99,"), std::string::npos);
}

TEST_F(EvidenceInPostgres, of_a_merchant_or_a_period_is_what_is_theirs) {
    auto const other = create_payment(create_merchant("Mugs", 5), {kChain});
    booked_at = kStart + std::chrono::hours(24 * 40);
    auto const later = create_payment(merchant_id, {kChain});
    commit(plan({.added = {block(103)},
                 .arrivals = {{other, transfer(other, 5, 50'000'000, block(103))},
                              {later, transfer(later, 6, 50'000'000, block(103))}},
                 .finalized = 102}));
    take({.merchant_id = other.merchant_id, .period = {}});
    EXPECT_EQ(sink.row_counts["journals.csv"], 1U);
    EXPECT_EQ(sequences("authorization"), std::vector<std::uint64_t>{1});
    EXPECT_EQ(sink.row_counts["payments.csv"], 1U);
    for (auto const& [file, text] : sink.texts)
        EXPECT_EQ(text.find(to_hex(merchant_id.uuid.bytes)), std::string::npos) << file;

    auto const found = take({.merchant_id = merchant_id, .period = month_of(booked_at)});
    EXPECT_EQ(found.records, 6U) << "all are verified";
    EXPECT_EQ(sequences("authorization"), std::vector<std::uint64_t>{5});
    EXPECT_EQ(sink.lines("journals.csv").at(1).substr(33, 12), "31337,5,6,6,")
        << sink.texts["journals.csv"];
}

TEST_F(EvidenceInPostgres, tells_words_only_where_they_are_asked_for) {
    query(
        "SET session_replication_role = replica; UPDATE payments SET description = 'for Jane Doe',"
        " metadata = '{\"name\": \"Jane Doe\"}', reference = '@SUM(1)'");
    take();
    for (auto const& [file, text] : sink.texts)
        EXPECT_EQ(text.find("Jane"), std::string::npos) << file;
    EXPECT_NE(sink.texts["payments.csv"].find(",'@SUM(1),"), std::string::npos);
    take({.merchant_id = {}, .period = {}, .with_details = true});
    EXPECT_NE(sink.texts.at("payment_details.csv").find("for Jane Doe"), std::string::npos);
}

TEST_F(EvidenceInPostgres, gives_wrong_books_and_says_so_but_no_row_that_can_not_be) {
    replica("UPDATE authorizations SET log_index = 7");
    auto const found = take();
    EXPECT_NE(found.first_wrong.value_or("").find("authorization 1 has been changed"),
              std::string::npos);
    EXPECT_NE(sink.texts.at("records/authorization.jsonl").find("\"log_index\":\"7\""),
              std::string::npos);
    replica(
        "ALTER TABLE authorizations DROP CONSTRAINT authorizations_hash_check;"
        " UPDATE authorizations SET hash = ''");
    EXPECT_THROW(take(), WrongRow);
}

}  // namespace
}  // namespace sycee
