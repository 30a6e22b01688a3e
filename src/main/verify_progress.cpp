#include "verify_progress.hpp"

#include <algorithm>
#include <cstdint>

namespace sycee {
namespace {

using namespace std::chrono_literals;

constexpr auto kOnTerminal = 500ms;
constexpr auto kElsewhere = 5s;
constexpr char const* kEraseLine = "\r\x1b[K";

std::string with_commas(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t i = text.size(); i > 3; i -= 3)
        text.insert(i - 3, 1, ',');
    return text;
}

}  // namespace

std::string progress_text(VerifyProgress const& progress, std::chrono::duration<double> taken) {
    auto const entries = static_cast<double>(progress.records + progress.postings);
    auto const rate = taken.count() > 0 ? static_cast<std::uint64_t>(entries / taken.count()) : 0;
    // Heads may have been changed by hand as well.
    auto const percent =
        progress.all_records == 0
            ? 100
            : std::min<std::uint64_t>(
                  100, static_cast<std::uint64_t>(100 * static_cast<double>(progress.records) /
                                                  static_cast<double>(progress.all_records)));
    return "verified " + with_commas(progress.records) + " of " +
           with_commas(progress.all_records) + " records (" + std::to_string(percent) + " %) and " +
           with_commas(progress.postings) + " postings, " + with_commas(progress.journals_done) +
           " of " + with_commas(progress.journals) + " journals done, " + with_commas(rate) +
           " a second";
}

void VerifyMeter::show(VerifyProgress const& progress, Time now) {
    if (now - shown_ < (on_terminal_ ? kOnTerminal : std::chrono::milliseconds(kElsewhere))) return;
    shown_ = now;
    std::string const text = progress_text(progress, now - start_);
    write_(on_terminal_ ? kEraseLine + text : text + "\n");
    in_line_ = on_terminal_;
}

void VerifyMeter::end() {
    if (in_line_) write_(kEraseLine);
    in_line_ = false;
}

}  // namespace sycee
