#include "list_reader.hpp"

#include "json_rpc.hpp"

#include <array>
#include <span>
#include <string>
#include <utility>

namespace sycee {
namespace {

constexpr std::size_t kMostTopics = 4;

// Where in the answer a value stands.
enum class Scope : std::uint8_t { batch, answer, error, logs, log, topics, receipts, receipt };

enum class Member : std::uint8_t {
    unknown,
    id,
    result,
    error,
    code,
    message,
    address,
    topics,
    data,
    block_number,
    block_hash,
    transaction_hash,
    transaction_index,
    log_index,
    removed,
    status,
    logs,
};

struct MemberName {
    char const* name;
    Member member;
    bool required = true;
};

constexpr MemberName kAnswerMembers[] = {
    {"id", Member::id}, {"result", Member::result, false}, {"error", Member::error, false}};
constexpr MemberName kErrorMembers[] = {{"code", Member::code},
                                        {"message", Member::message, false}};
constexpr MemberName kLogMembers[] = {
    {"address", Member::address},
    {"topics", Member::topics},
    {"data", Member::data},
    {"blockNumber", Member::block_number},
    {"blockHash", Member::block_hash},
    {"transactionHash", Member::transaction_hash},
    {"logIndex", Member::log_index},
    {"removed", Member::removed, false},  // some nodes leave it out where it is false
};
constexpr MemberName kReceiptMembers[] = {
    {"transactionHash", Member::transaction_hash},
    {"transactionIndex", Member::transaction_index},
    {"blockHash", Member::block_hash},
    {"blockNumber", Member::block_number},
    {"status", Member::status, false},
    {"logs", Member::logs},
};

std::span<MemberName const> members_of(Scope scope) {
    switch (scope) {
        case Scope::answer:
            return kAnswerMembers;
        case Scope::error:
            return kErrorMembers;
        case Scope::log:
            return kLogMembers;
        case Scope::receipt:
            return kReceiptMembers;
        case Scope::batch:
        case Scope::logs:
        case Scope::topics:
        case Scope::receipts:
            break;
    }
    return {};
}

enum class Results { logs, receipts, receipt };

struct ListAnswer {
    std::uint64_t id = 0;
    bool has_result = false;
    bool is_null = false;
    std::optional<RpcError> error;
    std::vector<Log> logs;
    std::vector<Receipt> receipts;
};

// What nlohmann's parser calls for each value, name and bracket; true: go on.
class ListReader {
  public:
    ListReader(Results results, std::size_t calls) : results_(results), calls_(calls) {}

    bool null();
    bool boolean(bool value);
    bool number_integer(std::int64_t value);
    bool number_unsigned(std::uint64_t value);
    bool number_float(double, std::string const&) { return is_skipped() || wrong(); }
    bool string(std::string const& text);
    bool binary(Json::binary_t const&) { return wrong(); }
    bool start_object(std::size_t);
    bool key(std::string const& name);
    bool end_object();
    bool start_array(std::size_t);
    bool end_array();
    bool parse_error(std::size_t, std::string const&, Json::exception const&) {
        throw BadAnswer("the answer is not the JSON that it should be");
    }

    std::vector<ListAnswer> take_answers() { return std::move(answers_); }

  private:
    struct Frame {
        Scope scope = Scope::batch;
        std::uint32_t seen = 0;  // members of an object, a bit for each
        MemberName const* member = nullptr;
    };

    bool is_open() const { return depth_ > 0; }
    Frame& top() { return frames_[depth_ - 1]; }
    Frame const& top() const { return frames_[depth_ - 1]; }
    void push(Scope scope);
    // In an object the member whose value comes; in an array none.
    Member member() const {
        return is_open() && top().member != nullptr ? top().member->member : Member::unknown;
    }
    // A value that we have no use for.
    bool is_skipped() const {
        return skipped_ > 0 ||
               (is_open() && !members_of(top().scope).empty() && top().member == nullptr);
    }
    bool skip_level();
    bool wrong() const;
    bool log_text(std::string const& text);
    bool receipt_text(std::string const& text);
    void start_answer();
    void end_answer();

    ListAnswer& answer() { return answers_.back(); }
    Receipt& receipt() { return answer().receipts.back(); }
    std::vector<Log>& logs() { return results_ == Results::logs ? answer().logs : receipt().logs; }

    Results results_;
    std::size_t calls_;
    std::array<Frame, 8> frames_{};
    std::size_t depth_ = 0;
    int skipped_ = 0;  // levels inside a value that is skipped
    std::vector<ListAnswer> answers_;
    std::int64_t error_code_ = 0;
    std::string error_message_;
};

bool ListReader::wrong() const {
    if (!is_open()) throw BadAnswer("the answer to a batch is not an array");
    if (top().member != nullptr)
        throw BadAnswer(std::string(top().member->name) + " is of a wrong type");
    switch (top().scope) {
        case Scope::batch:
            throw BadAnswer("an answer is not an object");
        case Scope::topics:
            throw BadAnswer("a topic is not a string");
        case Scope::logs:
            throw BadAnswer("a log is not an object");
        default:
            throw BadAnswer("a receipt is not an object");
    }
}

void ListReader::push(Scope scope) {
    // No answer of ours is deeper than the frames: a scope is entered from one other only.
    frames_.at(depth_++) = Frame{.scope = scope};
}

bool ListReader::skip_level() {
    if (++skipped_ > kDeepest) throw BadAnswer("the answer nests too deeply");
    return true;
}

bool ListReader::null() {
    if (is_skipped()) return true;
    switch (member()) {
        case Member::result:
            answer().has_result = answer().is_null = true;
            return true;
        case Member::error:
        case Member::message:
        case Member::status:
            return true;
        default:
            return wrong();
    }
}

bool ListReader::boolean(bool value) {
    if (is_skipped()) return true;
    if (member() != Member::removed) return wrong();
    logs().back().removed = value;
    return true;
}

bool ListReader::number_integer(std::int64_t value) {
    if (is_skipped()) return true;
    if (member() != Member::code) return wrong();
    error_code_ = value;
    return true;
}

bool ListReader::number_unsigned(std::uint64_t value) {
    if (is_skipped()) return true;
    if (member() == Member::code) {
        error_code_ = static_cast<std::int64_t>(value);
    } else if (member() == Member::id) {
        answer().id = value;
    } else {
        return wrong();
    }
    return true;
}

bool ListReader::string(std::string const& text) {
    if (is_skipped()) return true;
    if (!is_open()) return wrong();
    switch (top().scope) {
        case Scope::topics: {
            auto& topics = logs().back().topics;
            if (topics.size() == kMostTopics) throw BadAnswer("a log has more than 4 topics");
            topics.push_back(read_bytes<32>(text, "topic"));
            return true;
        }
        case Scope::log:
            return log_text(text);
        case Scope::receipt:
            return receipt_text(text);
        case Scope::error:
            if (member() != Member::message) return wrong();
            error_message_ = text;
            return true;
        default:
            return wrong();
    }
}

bool ListReader::log_text(std::string const& text) {
    Log& log = logs().back();
    switch (member()) {
        case Member::address:
            log.contract = Address{read_bytes<20>(text, "address")};
            return true;
        case Member::data:
            log.data = read_data(text, "data");
            return true;
        case Member::block_number:
            log.block_number = read_quantity(text, "blockNumber");
            return true;
        case Member::block_hash:
            log.block_hash = read_bytes<32>(text, "blockHash");
            return true;
        case Member::transaction_hash:
            log.transaction_hash = read_bytes<32>(text, "transactionHash");
            return true;
        case Member::log_index:
            log.log_index = read_index(text, "logIndex");
            return true;
        default:
            return wrong();
    }
}

bool ListReader::receipt_text(std::string const& text) {
    switch (member()) {
        case Member::transaction_hash:
            receipt().transaction_hash = read_bytes<32>(text, "transactionHash");
            return true;
        case Member::transaction_index:
            receipt().transaction_index = read_index(text, "transactionIndex");
            return true;
        case Member::block_hash:
            receipt().block_hash = read_bytes<32>(text, "blockHash");
            return true;
        case Member::block_number:
            receipt().block_number = read_quantity(text, "blockNumber");
            return true;
        case Member::status: {
            auto const status = read_quantity(text, "status");
            if (status > 1) throw BadAnswer("status is neither 0 nor 1");
            receipt().succeeded = status == 1;
            return true;
        }
        default:
            return wrong();
    }
}

bool ListReader::start_object(std::size_t) {
    if (is_skipped()) return skip_level();
    if (!is_open()) return wrong();
    switch (top().scope) {
        case Scope::batch:
            start_answer();
            return true;
        case Scope::answer:
            if (member() == Member::error) {
                error_code_ = 0;
                error_message_.clear();
                push(Scope::error);
                return true;
            }
            if (member() != Member::result || results_ != Results::receipt) return wrong();
            answer().has_result = true;
            answer().receipts.emplace_back();
            push(Scope::receipt);
            return true;
        case Scope::logs:
            logs().emplace_back();
            push(Scope::log);
            return true;
        case Scope::receipts:
            answer().receipts.emplace_back();
            push(Scope::receipt);
            return true;
        default:
            return wrong();
    }
}

bool ListReader::key(std::string const& name) {
    if (skipped_ > 0) return true;
    Frame& frame = top();
    frame.member = nullptr;
    auto const members = members_of(frame.scope);
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (name != members[i].name) continue;
        if ((frame.seen & (1U << i)) != 0) throw BadAnswer(name + " is there twice");
        frame.seen |= 1U << i;
        frame.member = &members[i];
    }
    return true;
}

bool ListReader::end_object() {
    if (skipped_ > 0) {
        --skipped_;
        return true;
    }
    auto const members = members_of(top().scope);
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (members[i].required && (top().seen & (1U << i)) == 0)
            throw BadAnswer(std::string(members[i].name) + " is missing");
    }
    if (top().scope == Scope::error) answer().error = make_error(error_code_, error_message_);
    if (top().scope == Scope::answer) end_answer();
    --depth_;
    return true;
}

void ListReader::start_answer() {
    if (answers_.size() == calls_) throw BadAnswer("there are more answers than calls");
    answers_.emplace_back();
    push(Scope::answer);
}

void ListReader::end_answer() {
    if (answer().error) return;
    if (!answer().has_result) throw BadAnswer("the answer has neither result nor error");
    if (answer().is_null && results_ == Results::logs) throw BadAnswer("the logs are not an array");
}

bool ListReader::start_array(std::size_t) {
    if (is_skipped()) return skip_level();
    if (!is_open()) {
        push(Scope::batch);
    } else if (member() == Member::result && results_ != Results::receipt) {
        answer().has_result = true;
        push(results_ == Results::logs ? Scope::logs : Scope::receipts);
    } else if (member() == Member::logs) {
        push(Scope::logs);
    } else if (member() == Member::topics) {
        logs().back().topics.reserve(kMostTopics);
        push(Scope::topics);
    } else {
        return wrong();
    }
    return true;
}

bool ListReader::end_array() {
    if (skipped_ > 0) {
        --skipped_;
    } else {
        --depth_;
    }
    return true;
}

std::vector<ListAnswer> read_lists(Results results, std::string_view body, std::uint64_t first_id,
                                   std::size_t calls) {
    auto const begin = body.find_first_not_of(" \t\r\n");
    if (begin != std::string_view::npos && body[begin] == '{') throw_if_refused(parse_json(body));
    ListReader reader(results, calls);
    Json::sax_parse(body.begin(), body.end(), &reader);
    std::vector<std::pair<std::uint64_t, ListAnswer>> answers;
    for (ListAnswer& answer : reader.take_answers()) {
        auto const id = answer.id;
        answers.emplace_back(id, std::move(answer));
    }
    return in_order(std::move(answers), first_id, calls);
}

template <class T, class Take>
std::vector<RpcResult<T>> take_each(std::vector<ListAnswer> answers, Take take) {
    std::vector<RpcResult<T>> results;
    results.reserve(answers.size());
    for (ListAnswer& answer : answers) {
        if (answer.error) {
            results.emplace_back(std::unexpected(std::move(*answer.error)));
        } else {
            results.emplace_back(take(answer));
        }
    }
    return results;
}

}  // namespace

std::vector<RpcResult<std::vector<Log>>> decode_logs(std::string_view body, std::uint64_t first_id,
                                                     std::size_t calls) {
    return take_each<std::vector<Log>>(read_lists(Results::logs, body, first_id, calls),
                                       [](ListAnswer& answer) { return std::move(answer.logs); });
}

std::vector<RpcResult<ReceiptList>> decode_receipts(std::string_view body, std::uint64_t first_id,
                                                    std::size_t calls) {
    return take_each<ReceiptList>(
        read_lists(Results::receipts, body, first_id, calls), [](ListAnswer& answer) {
            return answer.is_null ? ReceiptList{} : ReceiptList{std::move(answer.receipts)};
        });
}

std::vector<RpcResult<std::optional<Receipt>>> decode_receipt(std::string_view body,
                                                              std::uint64_t first_id,
                                                              std::size_t calls) {
    return take_each<std::optional<Receipt>>(
        read_lists(Results::receipt, body, first_id, calls), [](ListAnswer& answer) {
            return answer.is_null ? std::optional<Receipt>{}
                                  : std::optional<Receipt>{std::move(answer.receipts.front())};
        });
}

Result<void> check_receipt(Receipt const& receipt) {
    std::string const where = "the receipt of " + to_hex0x(receipt.transaction_hash);
    if (receipt.succeeded == false && !receipt.logs.empty())
        return refuse("receipts", where + " has logs of a transaction that failed");
    for (Log const& log : receipt.logs) {
        if (log.transaction_hash != receipt.transaction_hash ||
            log.block_hash != receipt.block_hash || log.block_number != receipt.block_number) {
            return refuse("receipts", where + " has a log of another transaction or block");
        }
    }
    return {};
}

Result<std::vector<Log>> logs_of(BlockOutline const& block, std::vector<Receipt> receipts) {
    std::string const where = "block " + std::to_string(block.header.number);
    if (receipts.size() != block.transactions.size()) {
        return refuse("receipts", where + " has " + std::to_string(block.transactions.size()) +
                                      " transactions and " + std::to_string(receipts.size()) +
                                      " receipts");
    }
    std::vector<Log> logs;
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        Receipt& receipt = receipts[i];
        if (receipt.transaction_index != i || receipt.transaction_hash != block.transactions[i] ||
            receipt.block_hash != block.header.hash ||
            receipt.block_number != block.header.number) {
            return refuse("receipts", where + ": receipt " + std::to_string(i) +
                                          " is not that of its transaction " + std::to_string(i));
        }
        if (auto const sound = check_receipt(receipt); !sound)
            return std::unexpected(sound.error());
        std::move(receipt.logs.begin(), receipt.logs.end(), std::back_inserter(logs));
    }
    return logs;
}

}  // namespace sycee
