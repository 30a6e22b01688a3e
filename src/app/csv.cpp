#include <sycee/app/csv.hpp>

namespace sycee {

std::string csv_field(std::string_view text) {
    std::string field(text);
    if (!field.empty() && std::string_view("=+-@\t\r").find(field[0]) != std::string_view::npos) {
        field.insert(field.begin(), '\'');
    }
    if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
    std::string quoted = "\"";
    for (char const c : field)
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}

std::string csv_line(std::initializer_list<std::string> fields) {
    std::string line;
    for (auto const& field : fields) {
        if (&field != fields.begin()) line += ',';
        line += field;
    }
    return line + "\r\n";
}

}  // namespace sycee
