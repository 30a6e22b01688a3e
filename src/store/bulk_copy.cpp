#include "bulk_copy.hpp"

namespace sycee {

CopyLine& CopyLine::add(std::string_view value) {
    begin_field();
    for (char const c : value) {
        switch (c) {
            case '\\':
                text += "\\\\";
                break;
            case '\t':
                text += "\\t";
                break;
            case '\n':
                text += "\\n";
                break;
            case '\r':
                text += "\\r";
                break;
            default:
                text.push_back(c);
        }
    }
    return *this;
}

CopyLine& CopyLine::add(ByteView bytes) {
    begin_field();
    text += "\\\\x";
    text += to_hex(bytes);
    return *this;
}

CopyLine& CopyLine::add_plain(std::string_view value) {
    begin_field();
    text += value;
    return *this;
}

void CopyLine::begin_field() {
    if (!text.empty()) text.push_back('\t');
}

}  // namespace sycee
