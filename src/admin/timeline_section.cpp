#include "pages.hpp"
#include "words.hpp"

#include <algorithm>
#include <tuple>

namespace sycee::admin {
namespace {

// What each kind of record says, as facts.
struct RecordFacts {
    Network const& network;
    PaymentTimeline const& timeline;
    ChainId chain_id;
    std::uint64_t sequence;
    std::string const& root;

    std::string amount(Address const& token, Amount value) const {
        return token_amount(network, chain_id, token, value);
    }
    Html fee(auto const& record) const {
        auto const charged = amount(record.token, record.fee);
        if (record.fee_version == 0) return html("{} ({} bp)", {charged, record.fee_basis_points});
        return html("{} ({} bp, version {})",
                    {charged, record.fee_basis_points, record.fee_version});
    }
    // A settlement leaves its token to its batch.
    std::string settled_amount(Settlement const& record) const {
        for (auto const& entry : timeline.batches) {
            auto const* batch = std::get_if<SettlementBatch>(&entry.record);
            bool const its_own = batch != nullptr && entry.chain_id == chain_id &&
                                 batch->batch_number == record.batch_number;
            if (its_own) return amount(batch->token, record.net);
        }
        return to_string(record.net) + " base units";
    }
    Html transfer(Transfer const& moved) const {
        Html facts = fact("Amount", amount(moved.key.token, moved.amount));
        facts += fact("Block", moved.block_number);
        facts += fact("Transaction", short_hash(moved.key.transaction_hash));
        return facts;
    }

    Html operator()(Authorization const& record) const {
        Html facts = transfer(record.transfer);
        facts += fact("By finality rule", html("version {}", {record.rule_version}));
        return facts;
    }
    Html operator()(Clearing const& record) const {
        Html facts = fact("Gross", amount(record.token, record.gross));
        facts += fact("Fee", fee(record));
        facts += fact("Net", amount(record.token, record.net));
        if (!record.excess.is_zero()) facts += fact("Excess", amount(record.token, record.excess));
        if (!record.shortfall.is_zero()) {
            facts +=
                fact("Missing, accepted by the tolerance", amount(record.token, record.shortfall));
        }
        facts += fact("At block", record.cleared_at_block);
        facts += fact("Of record", html("#{}", {record.authorization_sequence}));
        return facts;
    }
    Html operator()(Settlement const& record) const {
        Html facts = fact("Net", settled_amount(record));
        facts += fact("Finalized block", record.finalized_block);
        facts += fact("Batch", record.batch_number);
        facts += fact("Of record", html("#{}", {record.authorization_sequence}));
        return facts;
    }
    Html operator()(SettlementBatch const& record) const {
        Html facts = fact("Net of the batch", amount(record.token, record.net));
        facts += fact("Finalized block", record.finalized_block);
        facts += fact("Batch", record.batch_number);
        facts += fact("Settlements",
                      html("{} (#{} to #{})",
                           {record.settlement_count, record.first_sequence, record.last_sequence}));
        return facts;
    }
    Html operator()(Unapplied const& record) const {
        Html facts = fact("Amount", amount(record.token, record.amount));
        facts += fact("Reason", in_words(to_string(record.reason)));
        facts += fact("Of record", html("#{}", {record.authorization_sequence}));
        return facts;
    }
    Html operator()(Withdrawal const& record) const {
        Html facts = transfer(record.transfer);
        facts += fact("To", address(record.transfer.recipient));
        if (!record.unexplained.is_zero()) {
            facts += fact("Unexplained", amount(record.transfer.key.token, record.unexplained));
        }
        return facts;
    }
    Html operator()(Reversal const& record) const {
        Html facts = fact("Reverses", html("{} #{}", {in_words(to_string(record.reversed_kind)),
                                                      record.reversed_sequence}));
        facts += fact("Last common block", record.ancestor_block);
        return facts;
    }
    Html operator()(Resolution const& record) const {
        Html facts = fact("Decision", in_words(to_string(record.kind)));
        facts += fact("Amount", amount(record.token, record.amount));
        if (pays(record.kind)) {
            facts += fact("Fee", fee(record));
            facts += fact("Pays", payment_link(root, record.target_payment_id));
        }
        facts += decision(record);
        facts += fact("Of exception", html("#{}", {record.exception_sequence}));
        return facts;
    }
    Html operator()(Refund const& record) const {
        Html facts = fact("Amount", amount(record.token, record.amount));
        facts += fact("Promised to", address(record.recipient));
        facts += decision(record);
        return facts;
    }
    Html operator()(RefundPayment const& record) const {
        Html facts = fact("Promised", amount(record.transfer.key.token, record.amount));
        facts += transfer(record.transfer);
        facts += fact("To", address(record.transfer.recipient));
        facts += fact("Finalized block", record.finalized_block);
        facts += promise(record);
        return facts;
    }
    Html operator()(RefundCancellation const& record) const {
        Html facts = fact("Amount", amount(record.token, record.amount));
        facts += decision(record);
        facts += promise(record);
        return facts;
    }
    Html operator()(TokenLoss const& record) const {
        Html facts = fact("Amount", amount(record.token, record.amount));
        facts += fact("Block", record.block_number);
        facts += fact("Difference", code(to_string(record.difference_id)));
        facts += decision(record);
        return facts;
    }
    Html operator()(FeePayment const& record) const {
        Html facts = fact("Amount", amount(record.token, record.amount));
        facts += fact("Invoice", payment_link(root, record.invoice_payment_id));
        facts += fact("Settlement", short_hash(record.settlement_hash));
        return facts;
    }

    Html operator()(Cancellation const& record) const {
        Html facts = fact("Ends (UTC)", moment(record.ends_at));
        facts += decision(record);
        return facts;
    }

    Html decision(auto const& record) const {
        Html facts = fact("Decided by", code(record.decided_by));
        if (!record.approved_by.empty()) facts += fact("Approved by", code(record.approved_by));
        auto const reason = timeline.reasons.find({chain_id, sequence});
        if (reason != timeline.reasons.end()) facts += fact("Reason", reason->second);
        facts += fact("Reason's SHA-256", short_hash(record.reason_hash));
        return facts;
    }
    static Html promise(auto const& record) {
        return fact("Of record", html("#{}", {record.promise_sequence}));
    }
};

Html postings_table(JournalEntry const& entry, Network const& network) {
    auto const postings = postings_of(entry.record);
    if (std::holds_alternative<Cancellation>(entry.record)) {
        return html(R"(<p class="none">It moves no money.</p>)");
    }
    if (postings.empty()) {
        return html(R"(<p class="none">Its batch posts for it.</p>)");
    }
    Html rows;
    for (auto const& posting : postings) {
        Address const token{posting.token};
        rows += html(R"(<tr><td><i>debit</i> {}</td><td class="arrow" aria-hidden="true">→</td>)"
                     R"(<td><i>credit</i> {}</td><td class="number">{}</td></tr>)",
                     {to_string(posting.debit), to_string(posting.credit),
                      token_amount(network, entry.chain_id, token, posting.amount)});
    }
    return html(R"(<table class="postings"><tbody>{}</tbody></table>)", {rows});
}

Html entry_item(JournalEntry const& entry, PaymentTimeline const& timeline, Network const& network,
                std::string const& root) {
    std::string const kind(to_string(kind_of(entry.record)));
    return html(R"(<li class="{}"><div class="head"><b>{}</b> <span class="sequence">#{}</span> )"
                R"(<span class="on">{}</span> {} {}</div><dl class="facts small">{}</dl>{}</li>)"
                "\n",
                {kind, in_words(kind), entry.sequence, chain_name(network, entry.chain_id),
                 moment(entry.booked_at), short_hash(entry.hash),
                 std::visit(RecordFacts{network, timeline, entry.chain_id, entry.sequence, root},
                            entry.record),
                 postings_table(entry, network)});
}

}  // namespace

Html timeline_section(PaymentTimeline const& timeline, Network const& network,
                      std::string const& root) {
    std::vector<JournalEntry const*> entries;
    entries.reserve(timeline.records.size() + timeline.batches.size());
    for (auto const& entry : timeline.records)
        entries.push_back(&entry);
    for (auto const& entry : timeline.batches)
        entries.push_back(&entry);
    std::ranges::sort(entries, {}, [](JournalEntry const* entry) {
        return std::tuple(entry->booked_at, entry->chain_id, entry->sequence);
    });
    Html items;
    for (auto const* entry : entries)
        items += entry_item(*entry, timeline, network, root);
    if (entries.empty()) {
        return html(
            R"(<section class="card"><h2>Records</h2><p class="none">Nothing is booked yet.</p>)"
            R"(</section>)");
    }
    return html(R"(<section class="card"><h2>Records</h2><ol class="timeline">
{}</ol></section>)",
                {items});
}

}  // namespace sycee::admin
