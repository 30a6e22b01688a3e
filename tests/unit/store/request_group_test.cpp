#include "../../../src/store/request_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include <future>
#include <run_task.hpp>

namespace sycee {
namespace {

struct Question {
    int number = 0;
    bool done = false;
    bool is_done() const { return done; }
};
using Questions = std::vector<std::shared_ptr<Question>>;

class RequestGroups : public ::testing::Test {
  protected:
    void ask(RequestGroup<Question>& group, int number) {
        auto question = std::make_shared<Question>(Question{.number = number});
        boost::asio::co_spawn(io_, group.run(std::move(question)),
                              [this](std::exception_ptr error) {
                                  if (error) ++refused_;
                                  ++ended_;
                              });
        io_.poll();
        io_.restart();
    }
    void wait_for(int count) {
        run_until(io_, [this, count] { return ended_ == count; });
    }
    std::vector<int> numbers(std::size_t transaction) const { return served_.at(transaction); }

    // Keeps the first transaction under way until it is told to go on.
    RequestGroup<Question>::Serve serve_slowly() {
        return [this](Questions const& questions) {
            if (served_.empty()) {
                begun_.set_value();
                goes_on_.get_future().wait();
            }
            std::vector<int> together;
            for (auto const& question : questions) {
                together.push_back(question->number);
                question->done = true;
            }
            served_.push_back(together);
        };
    }

    boost::asio::io_context io_{1};
    std::promise<void> begun_;
    std::promise<void> goes_on_;
    std::vector<std::vector<int>> served_;
    int ended_ = 0;
    int refused_ = 0;
};

TEST_F(RequestGroups, WhatComesMeanwhileIsServedTogether) {
    RequestGroup<Question> group("an answer", 10, 10, serve_slowly());
    ask(group, 1);
    begun_.get_future().wait();
    for (int number = 2; number <= 5; ++number)
        ask(group, number);
    goes_on_.set_value();
    wait_for(5);
    EXPECT_EQ(refused_, 0);
    ASSERT_EQ(served_.size(), 2U);
    EXPECT_EQ(numbers(0), (std::vector{1}));
    EXPECT_EQ(numbers(1), (std::vector{2, 3, 4, 5}));
}

TEST_F(RequestGroups, NoMoreThanTheMostAreServedAtOnceInTheirOrder) {
    RequestGroup<Question> group("an answer", 10, 3, serve_slowly());
    ask(group, 1);
    begun_.get_future().wait();
    for (int number = 2; number <= 6; ++number)
        ask(group, number);
    goes_on_.set_value();
    wait_for(6);
    ASSERT_EQ(served_.size(), 3U);
    EXPECT_EQ(numbers(1), (std::vector{2, 3, 4}));
    EXPECT_EQ(numbers(2), (std::vector{5, 6}));
}

TEST_F(RequestGroups, TooManyAreRefusedAndTheOthersServed) {
    RequestGroup<Question> group("an answer", 2, 10, serve_slowly());
    ask(group, 1);
    begun_.get_future().wait();
    ask(group, 2);
    ask(group, 3);
    EXPECT_EQ(refused_, 1);
    goes_on_.set_value();
    wait_for(3);
    EXPECT_EQ(numbers(1), (std::vector{2}));
    // There is room again.
    ask(group, 4);
    wait_for(4);
    EXPECT_EQ(refused_, 1);
}

}  // namespace
}  // namespace sycee
