#include <sycee/runtime/metrics.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sycee {
namespace {

TEST(Metrics, counts_and_sets_by_name_and_labels) {
    Metrics metrics;
    metrics.count("sycee_blocks_total", {{"chain", "1"}});
    metrics.count("sycee_blocks_total", {{"chain", "1"}}, 4);
    metrics.count("sycee_blocks_total", {{"chain", "10"}});
    metrics.set("sycee_lag_blocks", 7);
    metrics.set("sycee_lag_blocks", 3);
    auto const text = metrics.text();
    for (auto const* line :
         {"# TYPE sycee_blocks_total counter\n", "sycee_blocks_total{chain=\"1\"} 5",
          "sycee_blocks_total{chain=\"10\"} 1", "# TYPE sycee_lag_blocks gauge\n",
          "sycee_lag_blocks 3"}) {
        EXPECT_TRUE(text.contains(line)) << line << " is not in\n" << text;
    }
}

TEST(Metrics, counts_on_several_threads) {
    Metrics metrics;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&metrics] {
                for (int n = 0; n < 1000; ++n)
                    metrics.count("sycee_things_total");
            });
        }
    }
    EXPECT_TRUE(metrics.text().contains("sycee_things_total 4000"));
}

}  // namespace
}  // namespace sycee
