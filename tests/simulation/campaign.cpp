#include "campaign.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace sycee::simulation {
namespace {

constexpr char const* kUsage =
    R"(  --seeds N      how many seeds, from --first (1) on; fails if one breaks an invariant, or if a
                 rare state is not reached by any
  --jobs N       processes at a time (all cores)
  --json FILE    writes the figures
  --keep-going   goes on after the first seed that fails
  --any-state    does not ask for every rare state
  --seed N       runs one seed; --verbose tells what happens
)";

void print_usage(Program const& program) {
    std::cerr << program.name
              << " --seeds N [--first N] [--jobs N] [--json FILE] [--keep-going] [--any-state]\n"
              << program.name << " --seed N [--verbose]\n  " << program.about << '\n'
              << kUsage;
}

constexpr std::uint64_t kTwice = 50;  // one seed in so many is run twice, and must do the same

struct Options {
    std::uint64_t first = 1;
    std::uint64_t seeds = 0;
    std::optional<std::uint64_t> seed;
    unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
    std::string json;
    bool verbose = false;
    bool keep_going = false;
    bool any_state = false;
};

struct Totals {
    std::uint64_t seeds = 0;
    std::uint64_t failed = 0;
    std::uint64_t first_failed = 0;  // the lowest
    std::string why;
    std::uint64_t events = 0;
    std::uint64_t commits = 0;
    std::uint64_t payments = 0;
    std::uint64_t transfers = 0;
    std::uint64_t blocks = 0;
    std::int64_t simulated_ms = 0;
    Reached reached;
    Reached reached_by;  // seeds
};

std::optional<Options> parse(std::vector<std::string> const& arguments) {
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string const& name = arguments[i];
        auto const number = [&]() -> std::uint64_t {
            return i + 1 < arguments.size() ? std::strtoull(arguments[++i].c_str(), nullptr, 10)
                                            : 0;
        };
        if (name == "--seeds") {
            options.seeds = number();
        } else if (name == "--first") {
            options.first = number();
        } else if (name == "--seed") {
            options.seed = number();
        } else if (name == "--jobs") {
            options.jobs = static_cast<unsigned>(std::max<std::uint64_t>(1, number()));
        } else if (name == "--json" && i + 1 < arguments.size()) {
            options.json = arguments[++i];
        } else if (name == "--verbose") {
            options.verbose = true;
        } else if (name == "--keep-going") {
            options.keep_going = true;
        } else if (name == "--any-state") {
            options.any_state = true;
        } else {
            return std::nullopt;
        }
    }
    if (!options.seed && options.seeds == 0) return std::nullopt;
    return options;
}

void add(Totals& totals, std::uint64_t seed, Outcome const& outcome) {
    ++totals.seeds;
    totals.events += outcome.events;
    totals.commits += outcome.commits;
    totals.payments += outcome.payments;
    totals.transfers += outcome.transfers;
    totals.blocks += outcome.blocks;
    totals.simulated_ms += outcome.simulated_ms;
    for (auto const& [state, count] : outcome.reached) {
        totals.reached[state] += count;
        ++totals.reached_by[state];
    }
    if (!outcome.violation) return;
    ++totals.failed;
    if (totals.first_failed != 0 && totals.first_failed < seed) return;
    totals.first_failed = seed;
    totals.why = outcome.violation->invariant + ": " + outcome.violation->detail;
}

// One line a field, so that what a worker has counted goes through a pipe.
std::string to_text(Totals const& totals) {
    std::ostringstream text;
    text << totals.seeds << ' ' << totals.failed << ' ' << totals.first_failed << ' '
         << totals.events << ' ' << totals.commits << ' ' << totals.payments << ' '
         << totals.transfers << ' ' << totals.blocks << ' ' << totals.simulated_ms << '\n';
    for (auto const& [state, count] : totals.reached)
        text << count << ' ' << totals.reached_by.at(state) << ' ' << state << '\n';
    text << "why\n" << totals.why;
    return text.str();
}

void add_text(Totals& totals, std::string const& text) {
    std::istringstream in(text);
    Totals part;
    in >> part.seeds >> part.failed >> part.first_failed >> part.events >> part.commits >>
        part.payments >> part.transfers >> part.blocks >> part.simulated_ms;
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line) && line != "why") {
        std::istringstream fields(line);
        std::uint64_t count = 0;
        std::uint64_t by = 0;
        std::string state;
        fields >> count >> by >> std::ws;
        std::getline(fields, state);
        totals.reached[state] += count;
        totals.reached_by[state] += by;
    }
    std::getline(in, part.why, '\0');
    totals.seeds += part.seeds;
    totals.failed += part.failed;
    totals.events += part.events;
    totals.commits += part.commits;
    totals.payments += part.payments;
    totals.transfers += part.transfers;
    totals.blocks += part.blocks;
    totals.simulated_ms += part.simulated_ms;
    if (part.failed != 0 && (totals.first_failed == 0 || part.first_failed < totals.first_failed)) {
        totals.first_failed = part.first_failed;
        totals.why = part.why;
    }
}

// The seeds first+job, first+job+jobs, ...
Totals run_some(Program const& program, Options const& options, unsigned job) {
    Totals totals;
    RunWorld const run_world = program.begin_worker();
    for (std::uint64_t i = job; i < options.seeds; i += options.jobs) {
        std::uint64_t const seed = options.first + i;
        Outcome outcome = run_world(seed, false);
        if (i % kTwice == 0 && run_world(seed, false).fingerprint != outcome.fingerprint) {
            outcome.violation = Violation{"a seed reproduces its run", "the fingerprints differ"};
        }
        if (outcome.violation && options.keep_going) {
            std::cerr << "seed " + std::to_string(seed) + ": " + outcome.violation->invariant +
                             ": " + outcome.violation->detail + "\n";
        }
        add(totals, seed, outcome);
        if (outcome.violation && !options.keep_going) break;
    }
    return totals;
}

// Each worker is a process of its own: a seed needs nothing of another one.
std::optional<Totals> run_all(Program const& program, Options const& options) {
    std::vector<std::pair<pid_t, int>> workers;
    for (unsigned job = 0; job < options.jobs; ++job) {
        int ends[2];
        if (pipe(ends) != 0) return std::nullopt;
        pid_t const pid = fork();
        if (pid < 0) return std::nullopt;
        if (pid == 0) {
            close(ends[0]);
            std::string const text = to_text(run_some(program, options, job));
            std::size_t written = 0;
            while (written < text.size()) {
                auto const count = write(ends[1], text.data() + written, text.size() - written);
                if (count <= 0) _exit(1);
                written += static_cast<std::size_t>(count);
            }
            _exit(0);
        }
        close(ends[1]);
        workers.emplace_back(pid, ends[0]);
    }
    Totals totals;
    bool whole = true;
    for (auto const& [pid, from] : workers) {
        std::string text;
        char buffer[4096];
        for (;;) {
            auto const count = read(from, buffer, sizeof buffer);
            if (count <= 0) break;
            text.append(buffer, static_cast<std::size_t>(count));
        }
        close(from);
        int status = 0;
        waitpid(pid, &status, 0);
        whole = whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (!text.empty()) add_text(totals, text);
    }
    if (!whole) return std::nullopt;
    return totals;
}

std::vector<std::string> missing_states(Program const& program, Totals const& totals) {
    std::vector<std::string> missing;
    for (std::string const& state : program.must_reach) {
        if (!totals.reached.contains(state)) missing.push_back(state);
    }
    return missing;
}

void write_json(Options const& options, Totals const& totals, double seconds) {
    std::ofstream file(options.json);
    file << "{\n  \"first_seed\": " << options.first << ",\n  \"seeds\": " << totals.seeds
         << ",\n  \"failed\": " << totals.failed << ",\n  \"seconds\": " << seconds
         << ",\n  \"simulated_hours\": " << static_cast<double>(totals.simulated_ms) / 3.6e6
         << ",\n  \"events\": " << totals.events << ",\n  \"blocks\": " << totals.blocks
         << ",\n  \"commits\": " << totals.commits << ",\n  \"payments\": " << totals.payments
         << ",\n  \"transactions\": " << totals.transfers << ",\n  \"reached\": {";
    bool first = true;
    for (auto const& [state, count] : totals.reached) {
        file << (first ? "\n" : ",\n") << "    \"" << state << "\": {\"times\": " << count
             << ", \"seeds\": " << totals.reached_by.at(state) << "}";
        first = false;
    }
    file << "\n  }\n}\n";
}

int run_campaign(Program const& program, Options const& options) {
    auto const began = std::chrono::steady_clock::now();
    auto const totals = run_all(program, options);
    double const seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (!totals) {
        std::cerr << program.name << ": a worker died\n";
        return 1;
    }
    std::printf("%llu seeds from %llu in %.1f s: %.1f seeds/s, %.0f simulated hours\n",
                static_cast<unsigned long long>(totals->seeds),
                static_cast<unsigned long long>(options.first), seconds,
                static_cast<double>(totals->seeds) / seconds,
                static_cast<double>(totals->simulated_ms) / 3.6e6);
    std::printf("%llu events, %llu blocks, %llu commits, %llu payments, %llu transactions\n",
                static_cast<unsigned long long>(totals->events),
                static_cast<unsigned long long>(totals->blocks),
                static_cast<unsigned long long>(totals->commits),
                static_cast<unsigned long long>(totals->payments),
                static_cast<unsigned long long>(totals->transfers));
    for (auto const& [state, count] : totals->reached) {
        std::printf("  %10llu times in %7llu seeds: %s\n", static_cast<unsigned long long>(count),
                    static_cast<unsigned long long>(totals->reached_by.at(state)), state.c_str());
    }
    if (!options.json.empty()) write_json(options, *totals, seconds);
    bool ok = totals->failed == 0;
    if (!ok) {
        std::printf("seed %llu breaks: %s\n", static_cast<unsigned long long>(totals->first_failed),
                    totals->why.c_str());
        std::printf("replay: %s --seed %llu --verbose\n", program.name.c_str(),
                    static_cast<unsigned long long>(totals->first_failed));
    }
    if (!options.any_state) {
        for (std::string const& state : missing_states(program, *totals)) {
            std::printf("never reached: %s\n", state.c_str());
            ok = false;
        }
    }
    std::printf("# pass %llu\n# fail %llu\n",
                static_cast<unsigned long long>(totals->seeds - totals->failed),
                static_cast<unsigned long long>(totals->failed));
    return ok ? 0 : 1;
}

int run_one(Program const& program, Options const& options) {
    Outcome const outcome = program.begin_worker()(*options.seed, options.verbose);
    for (auto const& [state, count] : outcome.reached)
        std::printf("  %6llu %s\n", static_cast<unsigned long long>(count), state.c_str());
    std::printf("seed %llu: %llu events, %llu commits, fingerprint %016llx\n",
                static_cast<unsigned long long>(*options.seed),
                static_cast<unsigned long long>(outcome.events),
                static_cast<unsigned long long>(outcome.commits),
                static_cast<unsigned long long>(outcome.fingerprint));
    if (!outcome.violation) return 0;
    std::printf("breaks: %s: %s\n", outcome.violation->invariant.c_str(),
                outcome.violation->detail.c_str());
    return 1;
}

}  // namespace

int run_program(Program const& program, std::vector<std::string> const& arguments) {
    auto const options = parse(arguments);
    if (!options) {
        print_usage(program);
        return 2;
    }
    return options->seed ? run_one(program, *options) : run_campaign(program, *options);
}

}  // namespace sycee::simulation
