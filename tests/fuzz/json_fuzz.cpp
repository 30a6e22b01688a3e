// Bodies of requests: what is taken is one JSON object, without a name that comes twice.
#include "../../src/api/json_input.hpp"
#include "fuzz.hpp"

#include <nlohmann/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sycee;
    std::string_view const text = text_of(data, size);
    auto const object = parse_json_object(text);
    if (!object) {
        // What is quoted of it may be anything: the answer must be JSON all the same.
        auto const response = problem_response(object.error(), "req_1");
        require(nlohmann::json::accept(response.body), "a problem that is no JSON");
        return 0;
    }
    require(object->is_object(), "no object");
    require(nlohmann::json::accept(text), "taken, and no JSON");
    auto const again = parse_json_object(object->dump());
    require(again && *again == *object, "an object that is not read as it is written");
    FieldReader fields(*object);
    fields.required_text("amount", "50.00");
    fields.text("reference", "order-1001");
    fields.texts("metadata");
    fields.integer("expires_in");
    auto errors = fields.take_errors();
    if (errors.empty()) return 0;
    auto const response = problem_response(invalid_fields(std::move(errors)), "req_1");
    require(nlohmann::json::accept(response.body), "a problem that is no JSON");
    return 0;
}
