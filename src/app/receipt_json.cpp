#include <sycee/app/receipt_json.hpp>
#include <sycee/payment/record_fields.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>

namespace sycee {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostBytes = std::size_t{64} << 20U;
constexpr std::size_t kMostDepth = 16;
constexpr std::size_t kMostPath = 64;
constexpr std::size_t kMostFields = 100;
constexpr std::size_t kMostTransfers = 1'000;
constexpr std::int64_t kMostMilliseconds = std::int64_t{1} << 53U;

Json path_json(MerklePath const& path) {
    Json json = Json::array();
    for (Bytes32 const& hash : path)
        json.push_back(to_hex(hash));
    return json;
}

Json record_json(JournalEntry const& entry) {
    Json json;
    json["hash"] = to_hex(entry.hash);
    json["fields"] = Json::array();
    for (RecordField const& field : fields_of(entry)) {
        json["fields"].push_back(
            {{"name", field.name}, {"kind", to_string(field.kind)}, {"value", field.value}});
    }
    return json;
}

Json facts_json(ReceiptTransfer const& proof) {
    auto const& transfer = std::get<Authorization>(proof.authorization.record).transfer;
    auto const& clearing = std::get<Clearing>(proof.clearing.record);
    auto const& settlement = std::get<Settlement>(proof.settlement.record);
    Json json;
    json["chain_id"] = transfer.key.chain_id;
    json["token"] = to_string(transfer.key.token);
    json["transaction_hash"] = to_hex0x(transfer.key.transaction_hash);
    json["log_index"] = transfer.log_index;
    json["sender"] = to_string(transfer.sender);
    json["recipient"] = to_string(transfer.recipient);
    json["amount_base_units"] = to_string(transfer.amount);
    json["block_number"] = transfer.block_number;
    json["block_hash"] = to_hex0x(transfer.block_hash);
    json["block_time"] = to_rfc3339(transfer.block_time);
    json["authorized_at"] = to_rfc3339(proof.authorization.booked_at);
    json["cleared_at"] = to_rfc3339(proof.clearing.booked_at);
    json["settled_at"] = to_rfc3339(proof.settlement.booked_at);
    json["gross_base_units"] = to_string(clearing.gross);
    json["fee_base_units"] = to_string(clearing.fee);
    json["net_base_units"] = to_string(clearing.net);
    json["excess_base_units"] = to_string(clearing.excess);
    json["finalized_block"] = settlement.finalized_block;
    return json;
}

Json checkpoint_json(Checkpoint const& checkpoint) {
    Json json;
    json["number"] = checkpoint.number;
    json["made_at"] = to_unix_milliseconds(checkpoint.made_at);
    json["previous_hash"] = to_hex(checkpoint.previous_hash);
    json["journal_count"] = checkpoint.journal_count;
    json["root"] = to_hex(checkpoint.root);
    json["public_key"] = to_hex(checkpoint.public_key);
    json["hash"] = to_hex(hash_of(checkpoint));
    json["signature"] = to_hex(checkpoint.signature);
    return json;
}

Json transfer_json(ReceiptTransfer const& transfer) {
    JournalInterval const& interval = transfer.interval;
    Json json;
    json["facts"] = facts_json(transfer);
    json["authorization"] = record_json(transfer.authorization);
    json["clearing"] = record_json(transfer.clearing);
    json["settlement"] = record_json(transfer.settlement);
    json["interval"] = {{"first_sequence", interval.first_sequence},
                        {"last_sequence", interval.last_sequence},
                        {"head", to_hex(interval.head)},
                        {"root", to_hex(interval.root)},
                        {"path", path_json(transfer.interval_path)}};
    json["leaf"] = {{"index", transfer.leaf_index}, {"path", path_json(transfer.checkpoint_path)}};
    json["checkpoint"] = checkpoint_json(transfer.checkpoint);
    return json;
}

Json journal_state_json(JournalState const& state) {
    Json json;
    json["merchant"] = to_string(state.merchant_id);
    json["chain_id"] = state.chain_id;
    json["sequence"] = state.head.sequence;
    json["head"] = to_hex(state.head.hash);
    json["last_batch"] = state.last_batch;
    json["live_credits"] = state.live_credits;
    json["live_withdrawals"] = state.live_withdrawals;
    json["balances"] = Json::array();
    for (auto const& [key, balance] : state.balances) {
        json["balances"].push_back(
            {{"token", to_hex(key.first)},
             {"account", to_string(key.second)},
             {"balance", (balance.negative ? "-" : "") + to_string(balance.magnitude)}});
    }
    json["open"] = Json::array();
    for (auto const& [authorization, clearing] : state.open)
        json["open"].push_back(Json::array({authorization, clearing}));
    json["reversed"] = state.reversed;
    json["decided"] = Json::array();
    for (auto const& [exception, amount] : state.decided)
        json["decided"].push_back(Json::array({exception, to_string(amount)}));
    json["kept_by"] = Json::array();
    for (TransferKey const& key : state.kept_by) {
        json["kept_by"].push_back(
            Json::array({to_hex(key.transaction_hash), to_hex(key.token.bytes), key.ordinal}));
    }
    json["paid_invoices"] = Json::array();
    for (auto const& [invoice, token] : state.paid_invoices)
        json["paid_invoices"].push_back(Json::array({to_string(invoice), to_hex(token.bytes)}));
    return json;
}

Json state_json(Checkpoint const& checkpoint, VerifiedState const& state) {
    Json json;
    json["verified_at"] = to_unix_milliseconds(state.verified_at);
    json["journals"] = Json::array();
    for (JournalState const& journal : state.journals)
        json["journals"].push_back(journal_state_json(journal));
    json["public_key"] = to_hex(state.public_key);
    json["hash"] = to_hex(hash_of(checkpoint, state));
    json["signature"] = to_hex(state.signature);
    return json;
}

// Refusals inside the reader; turned into a Result at its door.
struct Refused {
    Error error;
};
[[noreturn]] void reject(std::string place, std::string what) {
    throw Refused{{std::move(place), std::move(what)}};
}

// A value of the document, and where it stands.
class Value {
  public:
    Value(Json const& json, std::string place) : json_(json), place_(std::move(place)) {}

    // Of an object with exactly these members.
    void require_members(std::initializer_list<char const*> names) const {
        if (!json_.is_object()) fail("must be an object");
        for (auto const& [name, ignored] : json_.items()) {
            bool const known = std::any_of(names.begin(), names.end(),
                                           [&](char const* one) { return name == one; });
            if (!known) reject(below(name.substr(0, 60)), "is not a member of this object");
        }
        for (char const* name : names)
            if (!json_.contains(name)) reject(below(name), "is missing");
    }
    bool has(char const* name) const { return json_.is_object() && json_.contains(name); }
    Value at(char const* name) const { return {json_.at(name), below(name)}; }
    std::vector<Value> items(std::size_t most) const {
        if (!json_.is_array()) fail("must be a list");
        if (json_.size() > most) fail("must have at most " + std::to_string(most) + " items");
        std::vector<Value> values;
        for (std::size_t i = 0; i < json_.size(); ++i)
            values.emplace_back(json_[i], place_ + "[" + std::to_string(i) + "]");
        return values;
    }
    std::string text() const {
        if (!json_.is_string()) fail("must be text");
        return json_.get<std::string>();
    }
    void require_text(std::string_view expected) const {
        if (text() != expected) fail("must be \"" + std::string(expected) + "\"");
    }
    std::uint64_t number() const {
        if (!json_.is_number_unsigned()) fail("must be a whole number");
        return json_.get<std::uint64_t>();
    }
    template <std::size_t N>
    Bytes<N> hex() const {
        std::string const digits = text();
        Bytes<N> bytes{};
        if (!read_hex(digits, bytes) || to_hex(bytes) != digits) {
            fail("must be " + std::to_string(2 * N) + " hex digits in lower case");
        }
        return bytes;
    }
    Timestamp time() const {
        std::uint64_t const milliseconds = number();
        if (milliseconds > static_cast<std::uint64_t>(kMostMilliseconds)) fail("is too late");
        return Timestamp{std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds))};
    }
    // The same document, member by member: the first that differs is named.
    void require_same(Json const& expected) const {
        for (auto const& [name, value] : expected.items()) {
            if (json_.at(name) == value) continue;
            reject(below(name), "is not what the records say: " + value.dump());
        }
    }
    [[noreturn]] void fail(std::string what) const { reject(place_, std::move(what)); }
    std::string const& place() const { return place_; }

  private:
    std::string below(std::string const& name) const {
        return place_.empty() ? name : place_ + "." + name;
    }

    Json const& json_;
    std::string place_;
};

template <class Tag>
Id<Tag> read_id(Value const& value) {
    auto const id = parse_id<Tag>(value.text());
    if (!id) value.fail("must be an id that begins with " + std::string(Tag::prefix) + "_");
    return *id;
}

MerklePath read_path(Value const& value) {
    MerklePath path;
    for (Value const& item : value.items(kMostPath))
        path.push_back(item.hex<32>());
    return path;
}

FieldKind read_kind(Value const& value) {
    std::string const name = value.text();
    for (auto const kind :
         {FieldKind::number, FieldKind::amount, FieldKind::bytes, FieldKind::text}) {
        if (to_string(kind) == name) return kind;
    }
    value.fail("must be number, amount, bytes or text");
}

JournalEntry read_record(Value const& value, RecordKind kind) {
    value.require_members({"hash", "fields"});
    std::vector<RecordField> fields;
    for (Value const& item : value.at("fields").items(kMostFields)) {
        item.require_members({"name", "kind", "value"});
        fields.push_back(
            {item.at("name").text(), read_kind(item.at("kind")), item.at("value").text()});
    }
    auto entry = entry_of(fields);
    if (!entry) {
        reject(value.place() + "." + entry.error().field.substr(0, 60), entry.error().message);
    }
    if (kind_of(entry->record) != kind) {
        reject(value.place() + ".kind", "must be " + std::string(to_string(kind)));
    }
    entry->hash = value.at("hash").hex<32>();
    return std::move(*entry);
}

Checkpoint read_checkpoint(Value const& value) {
    value.require_members({"number", "made_at", "previous_hash", "journal_count", "root",
                           "public_key", "hash", "signature"});
    Checkpoint const checkpoint{.number = value.at("number").number(),
                                .made_at = value.at("made_at").time(),
                                .previous_hash = value.at("previous_hash").hex<32>(),
                                .journal_count = value.at("journal_count").number(),
                                .root = value.at("root").hex<32>(),
                                .public_key = value.at("public_key").hex<33>(),
                                .signature = value.at("signature").hex<64>()};
    if (value.at("hash").hex<32>() != hash_of(checkpoint)) {
        value.at("hash").fail("is not that of the checkpoint");
    }
    return checkpoint;
}

ReceiptTransfer read_transfer(Value const& value, MerchantId merchant_id) {
    value.require_members(
        {"facts", "authorization", "clearing", "settlement", "interval", "leaf", "checkpoint"});
    ReceiptTransfer transfer;
    transfer.authorization = read_record(value.at("authorization"), RecordKind::authorization);
    transfer.clearing = read_record(value.at("clearing"), RecordKind::clearing);
    transfer.settlement = read_record(value.at("settlement"), RecordKind::settlement);
    Value const interval = value.at("interval");
    interval.require_members({"first_sequence", "last_sequence", "head", "root", "path"});
    transfer.interval = {merchant_id,
                         transfer.settlement.chain_id,
                         interval.at("first_sequence").number(),
                         interval.at("last_sequence").number(),
                         interval.at("head").hex<32>(),
                         interval.at("root").hex<32>()};
    transfer.interval_path = read_path(interval.at("path"));
    Value const leaf = value.at("leaf");
    leaf.require_members({"index", "path"});
    transfer.leaf_index = leaf.at("index").number();
    transfer.checkpoint_path = read_path(leaf.at("path"));
    transfer.checkpoint = read_checkpoint(value.at("checkpoint"));
    auto const facts = facts_json(transfer);
    Value const said = value.at("facts");
    said.require_members({"chain_id", "token", "transaction_hash", "log_index", "sender",
                          "recipient", "amount_base_units", "block_number", "block_hash",
                          "block_time", "authorized_at", "cleared_at", "settled_at",
                          "gross_base_units", "fee_base_units", "net_base_units",
                          "excess_base_units", "finalized_block"});
    said.require_same(facts);
    return transfer;
}

PaymentReceipt read_receipt(Value const& value) {
    value.require_members({"object", "version", "merchant", "payment", "transfers"});
    value.at("object").require_text("receipt");
    if (value.at("version").number() != 1) value.at("version").fail("must be 1");
    PaymentReceipt receipt;
    receipt.merchant_id = read_id<MerchantTag>(value.at("merchant"));
    receipt.payment_id = read_id<PaymentTag>(value.at("payment"));
    for (Value const& item : value.at("transfers").items(kMostTransfers))
        receipt.transfers.push_back(read_transfer(item, receipt.merchant_id));
    return receipt;
}

std::pair<BalanceSheet::Key, BalanceSheet::Balance> read_balance(Value const& value) {
    value.require_members({"token", "account", "balance"});
    auto const account = parse_account(value.at("account").text());
    if (!account) value.at("account").fail("must be the name of an account");
    std::string const text = value.at("balance").text();
    bool const negative = text.starts_with('-');
    auto const magnitude = parse_base_units(negative ? text.substr(1) : text);
    if (!magnitude || (negative && (magnitude->is_zero() || *account != Account::drawn))) {
        value.at("balance").fail("must be base units, below zero of `drawn` alone");
    }
    return {{value.at("token").hex<20>(), *account}, {*magnitude, negative}};
}

JournalState read_journal_state(Value const& value) {
    value.require_members({"merchant", "chain_id", "sequence", "head", "last_batch", "live_credits",
                           "live_withdrawals", "balances", "open", "reversed", "decided", "kept_by",
                           "paid_invoices"});
    JournalState state;
    state.merchant_id = read_id<MerchantTag>(value.at("merchant"));
    state.chain_id = value.at("chain_id").number();
    state.head = {value.at("sequence").number(), value.at("head").hex<32>()};
    state.last_batch = value.at("last_batch").number();
    state.live_credits = value.at("live_credits").number();
    state.live_withdrawals = value.at("live_withdrawals").number();
    for (Value const& item : value.at("balances").items(kMostBytes))
        state.balances.insert(read_balance(item));
    auto const parts_of = [](Value const& item, std::size_t count) {
        auto parts = item.items(count);
        if (parts.size() != count) item.fail("must have " + std::to_string(count) + " items");
        return parts;
    };
    auto const pair_of = [&](Value const& item) { return parts_of(item, 2); };
    for (Value const& item : value.at("open").items(kMostBytes)) {
        auto const pair = pair_of(item);
        state.open.push_back({pair[0].number(), pair[1].number()});
    }
    for (Value const& item : value.at("reversed").items(kMostBytes))
        state.reversed.push_back(item.number());
    for (Value const& item : value.at("decided").items(kMostBytes)) {
        auto const pair = pair_of(item);
        auto const amount = parse_base_units(pair[1].text());
        if (!amount) pair[1].fail(amount.error().message);
        state.decided.push_back({pair[0].number(), *amount});
    }
    for (Value const& item : value.at("kept_by").items(kMostBytes)) {
        auto const parts = parts_of(item, 3);
        std::uint64_t const ordinal = parts[2].number();
        if (ordinal > std::numeric_limits<std::uint32_t>::max()) parts[2].fail("is too large");
        state.kept_by.push_back({state.chain_id,
                                 parts[0].hex<32>(),
                                 {parts[1].hex<20>()},
                                 static_cast<std::uint32_t>(ordinal)});
    }
    for (Value const& item : value.at("paid_invoices").items(kMostBytes)) {
        auto const pair = pair_of(item);
        state.paid_invoices.emplace_back(read_id<PaymentTag>(pair[0]), Address{pair[1].hex<20>()});
    }
    return state;
}

VerifiedState read_state(Value const& value, Checkpoint const& checkpoint) {
    value.require_members({"verified_at", "journals", "public_key", "hash", "signature"});
    VerifiedState state{.verified_at = value.at("verified_at").time(),
                        .journals = {},
                        .public_key = value.at("public_key").hex<33>(),
                        .signature = value.at("signature").hex<64>()};
    for (Value const& item : value.at("journals").items(kMostBytes))
        state.journals.push_back(read_journal_state(item));
    if (value.at("hash").hex<32>() != hash_of(checkpoint, state))
        value.at("hash").fail("is not that of the state");
    return state;
}

// The second version has a verified state as well.
CheckpointExport read_export(Value const& value) {
    if (value.has("state")) {
        value.require_members({"object", "version", "checkpoint", "journals", "unmoved", "state"});
    } else {
        value.require_members({"object", "version", "checkpoint", "journals", "unmoved"});
    }
    value.at("object").require_text("checkpoint");
    std::uint64_t const version = value.has("state") ? 2 : 1;
    if (value.at("version").number() != version)
        value.at("version").fail("must be " + std::to_string(version));
    CheckpointExport exported{.checkpoint = read_checkpoint(value.at("checkpoint"))};
    for (Value const& item : value.at("journals").items(kMostBytes)) {
        item.require_members(
            {"merchant", "chain_id", "first_sequence", "last_sequence", "head", "root"});
        exported.intervals.push_back(
            {read_id<MerchantTag>(item.at("merchant")), item.at("chain_id").number(),
             item.at("first_sequence").number(), item.at("last_sequence").number(),
             item.at("head").hex<32>(), item.at("root").hex<32>()});
    }
    for (Value const& item : value.at("unmoved").items(kMostBytes)) {
        item.require_members({"merchant", "chain_id", "sequence", "head"});
        exported.heads.push_back({read_id<MerchantTag>(item.at("merchant")),
                                  item.at("chain_id").number(), item.at("sequence").number(),
                                  item.at("head").hex<32>()});
    }
    if (version == 2) exported.state = read_state(value.at("state"), exported.checkpoint);
    return exported;
}

std::vector<CompressedPublicKey> read_keys(Value const& value) {
    value.require_members({"object", "keys"});
    value.at("object").require_text("signing_keys");
    std::vector<CompressedPublicKey> keys;
    for (Value const& item : value.at("keys").items(1'000)) {
        item.require_members({"public_key", "created_at", "retired_at"});
        keys.push_back(item.at("public_key").hex<33>());
    }
    return keys;
}

// A document of somebody unknown: neither its size nor its depth may cost more than reading it.
template <class Read>
auto read_document(std::string_view text, Read read)
    -> Result<decltype(read(std::declval<Value const&>()))> {
    if (text.size() > kMostBytes) return refuse("", "is larger than 64 MiB");
    bool too_deep = false;
    auto const watch_depth = [&too_deep](int depth, Json::parse_event_t, Json&) {
        if (depth > static_cast<int>(kMostDepth)) too_deep = true;
        return !too_deep;
    };
    try {
        Json const json = Json::parse(text, watch_depth);
        if (too_deep) return refuse("", "is nested too deep");
        return read(Value(json, ""));
    } catch (nlohmann::json::exception const&) {
        return refuse("", "is not JSON");
    } catch (Refused const& refused) {
        return std::unexpected(refused.error);
    }
}

}  // namespace

Json receipt_json(PaymentReceipt const& receipt) {
    Json json;
    json["object"] = "receipt";
    json["version"] = 1;
    json["merchant"] = to_string(receipt.merchant_id);
    json["payment"] = to_string(receipt.payment_id);
    json["transfers"] = Json::array();
    for (ReceiptTransfer const& transfer : receipt.transfers)
        json["transfers"].push_back(transfer_json(transfer));
    return json;
}

Result<PaymentReceipt> parse_receipt(std::string_view text) {
    return read_document(text, [](Value const& value) { return read_receipt(value); });
}

Json export_json(CheckpointExport const& exported) {
    Json json;
    json["object"] = "checkpoint";
    json["version"] = exported.state ? 2 : 1;
    json["checkpoint"] = checkpoint_json(exported.checkpoint);
    json["journals"] = Json::array();
    for (JournalInterval const& interval : exported.intervals) {
        json["journals"].push_back({{"merchant", to_string(interval.merchant_id)},
                                    {"chain_id", interval.chain_id},
                                    {"first_sequence", interval.first_sequence},
                                    {"last_sequence", interval.last_sequence},
                                    {"head", to_hex(interval.head)},
                                    {"root", to_hex(interval.root)}});
    }
    json["unmoved"] = Json::array();
    for (CheckpointedHead const& head : exported.heads) {
        json["unmoved"].push_back({{"merchant", to_string(head.merchant_id)},
                                   {"chain_id", head.chain_id},
                                   {"sequence", head.sequence},
                                   {"head", to_hex(head.hash)}});
    }
    if (exported.state) json["state"] = state_json(exported.checkpoint, *exported.state);
    return json;
}

Result<CheckpointExport> parse_export(std::string_view text) {
    return read_document(text, [](Value const& value) { return read_export(value); });
}

Json keys_json(std::vector<PublishedKey> const& keys) {
    Json json;
    json["object"] = "signing_keys";
    json["keys"] = Json::array();
    for (PublishedKey const& key : keys) {
        json["keys"].push_back(
            {{"public_key", to_hex(key.public_key)},
             {"created_at", to_rfc3339(key.created_at)},
             {"retired_at", key.retired_at ? Json(to_rfc3339(*key.retired_at)) : Json(nullptr)}});
    }
    return json;
}

Result<std::vector<CompressedPublicKey>> parse_keys(std::string_view text) {
    return read_document(text, [](Value const& value) { return read_keys(value); });
}

}  // namespace sycee
