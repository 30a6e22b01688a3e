#pragma once

#include <sycee/app/checkpoint_ports.hpp>
#include <sycee/base/result.hpp>

#include <nlohmann/json_fwd.hpp>

#include <string_view>
#include <vector>

namespace sycee {

// Receipts, exported checkpoints and published keys as files and answers (docs/receipts.md). Bytes
// are lower-case hex, amounts decimal strings, times of the gateway milliseconds since 1970.

// Each record as the list of its fields, in the order in which they are hashed. `facts` repeats of
// them what a person asks for first.
nlohmann::ordered_json receipt_json(PaymentReceipt const& receipt);

// Refused, with the place as in "transfers[0].clearing.fields[7].value", for whatever is not
// exactly what receipt_json() writes: facts that are not those of the records included. Whether the
// proof holds is for check_payment_receipt().
Result<PaymentReceipt> parse_receipt(std::string_view text);

nlohmann::ordered_json export_json(CheckpointExport const& exported);
Result<CheckpointExport> parse_export(std::string_view text);

nlohmann::ordered_json keys_json(std::vector<PublishedKey> const& keys);
// The public keys alone.
Result<std::vector<CompressedPublicKey>> parse_keys(std::string_view text);

}  // namespace sycee
