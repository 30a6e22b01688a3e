// Pins: a record in the evidence has every field that is hashed but its postings, in the order of
// the bytes, with a layout that says how each is hashed; the manifest tells what the files are of.
#include <sycee/app/evidence.hpp>
#include <sycee/payment/record_fields.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <receipt_fixture.hpp>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

class EvidenceLines : public ::testing::Test, protected TestReceipt {};

TEST_F(EvidenceLines, have_what_is_hashed_in_its_order_by_a_layout) {
    EvidenceLayouts layouts;
    auto const& transfer = receipt.transfers[0];
    for (JournalEntry const& entry :
         {transfer.authorization, transfer.clearing, transfer.settlement, transfer.settlement}) {
        std::string const line = layouts.line_of(entry);
        EXPECT_EQ(line.find('\n'), line.size() - 1);
        Json const json = Json::parse(line);
        std::size_t i = 0;
        auto const fields = fields_of(entry);
        for (auto const& [name, value] : json.items()) {
            if (name == "hash") break;
            EXPECT_EQ(name, fields.at(i).name);
            EXPECT_EQ(value, fields.at(i).value);
            ++i;
        }
        EXPECT_EQ(fields.at(i).name, "postings");
        EXPECT_EQ(json["hash"], to_hex(entry.hash));
    }
    Json const kinds = layouts.json();
    ASSERT_EQ(kinds.size(), 3U);
    EXPECT_EQ(kinds[0]["kind"], "authorization");
    EXPECT_EQ(kinds[0]["layout"], "sycee.record.1");
    EXPECT_EQ(kinds[0]["fields"][0], Json::array({"layout", "text"}));
    EXPECT_EQ(kinds[0]["fields"][1], Json::array({"merchant_id", "bytes"}));
    EXPECT_EQ(kinds[2]["fields"].back(), Json::array({"net", "amount"}));
}

TEST_F(EvidenceLines, a_second_layout_of_a_kind_stands_beside_the_first) {
    EvidenceLayouts layouts;
    JournalEntry entry = receipt.transfers[0].clearing;
    layouts.line_of(entry);
    std::get<Clearing>(entry.record).fee_version = 1;
    layouts.line_of(entry);
    Json const kinds = layouts.json();
    ASSERT_EQ(kinds.size(), 2U);
    EXPECT_EQ(kinds[1]["layout"], "sycee.record.2");
    EXPECT_EQ(kinds[1]["fields"].size(), kinds[0]["fields"].size() + 1);
}

TEST(EvidenceManifest, says_what_the_files_are_of) {
    EvidenceFound const found{.taken_at = "2026-11-26T10:00:00.000Z",
                              .snapshot = "7:7:",
                              .schema = "0014_reconciliation",
                              .journals = 1,
                              .records = 2,
                              .postings = 3,
                              .first_wrong = "clearing 2",
                              .layouts = {}};
    EvidenceQuery query;
    query.period = month_of(timestamp_from_seconds(1'800'000'000));
    Json const json = evidence_manifest(query, found, {{"a.csv", 5, 1, Bytes32{1}}});
    EXPECT_EQ(json["verify"]["right"], false);
    EXPECT_EQ(json["verify"]["first_wrong"], "clearing 2");
    EXPECT_EQ(json["period"], "2027-01");
    EXPECT_TRUE(json["merchant"].is_null());
    EXPECT_EQ(json["files"][0]["name"], "a.csv");
    EXPECT_EQ(json["files"][0]["rows"], 1);
    EXPECT_EQ(json["files"][0]["sha256"], to_hex(Bytes32{1}));
}

}  // namespace
}  // namespace sycee
