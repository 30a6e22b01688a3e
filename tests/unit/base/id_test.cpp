// Pins: ids sort by time, carry their type in their text, and times read as RFC 3339.
#include <sycee/base/id.hpp>
#include <sycee/base/time.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

TEST(Id, is_a_uuid_of_version_7) {
    Bytes<10> random{};
    random.fill(0xff);
    auto const uuid = make_uuid_v7(Timestamp{std::chrono::milliseconds{0x0123456789ab}}, random);
    EXPECT_EQ(to_string(uuid), "01234567-89ab-7fff-bfff-ffffffffffff");
    EXPECT_EQ(parse_uuid(to_string(uuid)), uuid);
}

// The vector of the TypeID specification's README.
TEST(Id, has_the_text_form_of_a_typeid) {
    auto const uuid = parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057");
    ASSERT_TRUE(uuid);
    EXPECT_EQ(to_base32(*uuid), "01h455vb4pex5vsknk084sn02q");
    EXPECT_EQ(uuid_from_base32("01h455vb4pex5vsknk084sn02q"), uuid);
    EXPECT_EQ(to_string(PaymentId{*uuid}), "pay_01h455vb4pex5vsknk084sn02q");
}

TEST(Id, refuses_another_type_and_letters_outside_the_alphabet) {
    EXPECT_TRUE(parse_id<PaymentTag>("pay_01h455vb4pex5vsknk084sn02q"));
    for (char const* text :
         {"mer_01h455vb4pex5vsknk084sn02q", "pay01h455vb4pex5vsknk084sn02q", "pay_",
          "pay_01h455vb4pex5vsknk084sn02", "pay_01h455vb4pex5vsknk084sn02qq",
          "pay_81h455vb4pex5vsknk084sn02q", "pay_01H455VB4PEX5VSKNK084SN02Q",
          "pay_01h455vb4pex5vsknk084sn02l", "pay_01h455vb4pex5vsknk084sn0'q"}) {
        EXPECT_FALSE(parse_id<PaymentTag>(text)) << text;
    }
}

TEST(Id, sorts_by_time_in_both_forms) {
    Bytes<10> const random{};
    auto const early = make_uuid_v7(timestamp_from_seconds(1'700'000'000), random);
    auto const late = make_uuid_v7(timestamp_from_seconds(1'700'000'001), random);
    EXPECT_LT(early, late);
    EXPECT_LT(to_base32(early), to_base32(late));
}

TEST(Time, reads_as_rfc_3339) {
    EXPECT_EQ(to_rfc3339(timestamp_from_seconds(0)), "1970-01-01T00:00:00Z");
    EXPECT_EQ(to_rfc3339(timestamp_from_seconds(1'709'164'799)), "2024-02-28T23:59:59Z");
    EXPECT_EQ(to_rfc3339(timestamp_from_seconds(1'709'208'000) + std::chrono::milliseconds(7)),
              "2024-02-29T12:00:00.007Z");
}

}  // namespace
}  // namespace sycee
