#pragma once

#include <sycee/net/http_message.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sycee {

// The kinds of problem that the API answers with (RFC 9457). The codes are part of the contract.
struct ProblemKind {
    std::string_view code;
    unsigned status = 0;
    std::string_view title;
};
inline constexpr ProblemKind kInvalidRequest{"invalid_request", 400, "Invalid request"};
inline constexpr ProblemKind kMalformedJson{"malformed_json", 400, "Malformed JSON"};
inline constexpr ProblemKind kUnauthorized{"unauthorized", 401, "Unauthorized"};
inline constexpr ProblemKind kForbidden{"forbidden", 403, "Not allowed for this key"};
inline constexpr ProblemKind kAddressNotAllowed{"address_not_allowed", 403,
                                                "Not allowed from this address"};
inline constexpr ProblemKind kNotFound{"not_found", 404, "Not found"};
inline constexpr ProblemKind kMethodNotAllowed{"method_not_allowed", 405, "Method not allowed"};
inline constexpr ProblemKind kConflict{"conflict", 409, "Not possible now"};
inline constexpr ProblemKind kPaymentNotOpen{"payment_not_open", 409, "The payment is not open"};
inline constexpr ProblemKind kPaymentExpired{"payment_expired", 409, "The payment is over"};
inline constexpr ProblemKind kQuoteExpired{"quote_expired", 409, "The quote is over"};
inline constexpr ProblemKind kPreconditionFailed{"precondition_failed", 412, "Changed meanwhile"};
inline constexpr ProblemKind kKeyInUse{"idempotency_key_in_use", 409, "Still at work"};
inline constexpr ProblemKind kKeyReused{"idempotency_key_reused", 422,
                                        "Idempotency-Key used before"};
inline constexpr ProblemKind kNotSettled{"not_settled", 409, "Not settled"};
inline constexpr ProblemKind kArchived{"archived", 410, "Archived"};
inline constexpr ProblemKind kUnsupportedMediaType{"unsupported_media_type", 415,
                                                   "Unsupported media type"};
inline constexpr ProblemKind kRateLimited{"rate_limited", 429, "Too many requests"};
inline constexpr ProblemKind kInternal{"internal", 500, "Internal error"};
inline constexpr ProblemKind kReceiptsOff{"receipts_off", 501, "No receipts here"};
inline constexpr ProblemKind kReceiptPending{"receipt_pending", 503, "Not yet in a checkpoint"};
inline constexpr ProblemKind kStorageFull{"storage_full", 503, "No room to store anything"};
inline constexpr ProblemKind kRateUnavailable{"rate_unavailable", 503, "No price at the moment"};
inline constexpr ProblemKind kUnavailable{"unavailable", 503, "Temporarily unavailable"};

struct FieldError {
    std::string field;                   // "amount", "metadata/size"
    std::optional<std::string> pointer;  // RFC 6901: "/amount"; nothing for a query parameter
    std::string detail;
};

// A field of the body, named by the path to it. A name that is too long to repeat is cut.
FieldError body_error(std::vector<std::string_view> const& path, std::string detail);

struct Problem {
    ProblemKind kind;
    std::string detail;
    std::vector<FieldError> errors;
    HttpHeaders headers;
};

// An invalid request whose detail names the field, where there is one, or counts them. Of very many
// the first are shown.
Problem invalid_fields(std::vector<FieldError> errors);

// The same, of one field of the body.
Problem invalid_field(std::string_view name, std::string detail);

HttpResponse problem_response(Problem const& problem, std::string const& request_id);

}  // namespace sycee
