// Pins: which events a page of the feed shows, and that no number is passed over in silence.
#include <sycee/app/event_feed.hpp>

#include <gtest/gtest.h>

namespace sycee {
namespace {

std::vector<ScannedEvent> events(std::vector<std::uint64_t> const& sequences) {
    std::vector<ScannedEvent> scanned;
    for (std::uint64_t const sequence : sequences) {
        scanned.push_back({.sequence = sequence,
                           .id = {},
                           .type = sequence % 2 == 0 ? "payment.cleared" : "payment.settled"});
    }
    return scanned;
}

FeedQuery after(std::optional<std::uint64_t> sequence, std::size_t limit = 100) {
    return {.merchant_id = {}, .after = sequence, .limit = limit, .types = {}};
}

std::vector<std::uint64_t> shown(PlannedPage const& page) {
    std::vector<std::uint64_t> sequences;
    for (ScannedEvent const& event : page.events)
        sequences.push_back(event.sequence);
    return sequences;
}

using Numbers = std::vector<std::uint64_t>;
using Gaps = std::vector<FeedGap>;

TEST(EventFeed, APageEndsWhereTheNextOneBegins) {
    auto const page = plan_page(after(0, 2), events({1, 2, 3}), false, 9);
    EXPECT_EQ(shown(page), (Numbers{1, 2}));
    EXPECT_TRUE(page.has_more);
    EXPECT_EQ(page.next_after, 2U);
    auto const last = plan_page(after(7, 2), events({8, 9}), true, 9);
    EXPECT_EQ(shown(last), (Numbers{8, 9}));
    EXPECT_FALSE(last.has_more);
    EXPECT_EQ(last.next_after, 9U);
}

TEST(EventFeed, NumbersThatAreNotThereAreNamed) {
    auto const page = plan_page(after(2), events({5, 6, 8}), true, 10);
    EXPECT_EQ(page.missing, (Gaps{{3, 4}, {7, 7}, {9, 10}}));
    EXPECT_EQ(page.next_after, 10U);
    // A gap before what is on the next page is named there.
    auto const cut = plan_page(after(2, 1), events({3, 5}), false, 10);
    EXPECT_TRUE(cut.missing.empty());
    EXPECT_EQ(cut.next_after, 3U);
    EXPECT_EQ(plan_page(after(3), events({5}), true, 5).missing, (Gaps{{4, 4}}));
}

TEST(EventFeed, WithoutABeginningItBeginsWithWhatIsKept) {
    EXPECT_TRUE(plan_page(after({}), events({5, 6}), true, 6).missing.empty());
    EXPECT_EQ(plan_page(after(0), events({5, 6}), true, 6).missing, (Gaps{{1, 4}}));
    auto const nothing = plan_page(after({}), {}, true, 6);
    EXPECT_TRUE(nothing.missing.empty());
    EXPECT_EQ(nothing.next_after, 6U);
    EXPECT_EQ(plan_page(after(0), {}, true, 6).missing, (Gaps{{1, 6}}));
}

TEST(EventFeed, WhatIsLeftOutByItsTypeIsPassed) {
    auto query = after(0, 2);
    query.types = {"payment.cleared"};
    auto const page = plan_page(query, events({1, 2, 3, 4, 5, 6}), false, 9);
    EXPECT_EQ(shown(page), (Numbers{2, 4}));
    EXPECT_EQ(page.next_after, 5U);
    EXPECT_TRUE(page.has_more);
    // Nothing of the type among those that were looked at: there may be after them.
    query.types = {"refund.paid"};
    auto const none = plan_page(query, events({1, 2, 4}), false, 9);
    EXPECT_TRUE(none.events.empty());
    EXPECT_EQ(none.next_after, 4U);
    EXPECT_TRUE(none.has_more);
    EXPECT_EQ(none.missing, (Gaps{{3, 3}}));
}

TEST(EventFeed, KnowsItsTypes) {
    EXPECT_TRUE(is_event_type("payment.cleared"));
    for (std::string_view const name : {"", "payment", "payment.cleared ", "PAYMENT.CLEARED"})
        EXPECT_FALSE(is_event_type(name)) << name;
}

}  // namespace
}  // namespace sycee
