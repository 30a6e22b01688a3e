#include "bulk_copy.hpp"

namespace sycee {

CopyLine& CopyLine::add(std::string_view value) {
    begin_field();
    for (char const c : value) {
        switch (c) {
            case '\\':
                text_ += "\\\\";
                break;
            case '\t':
                text_ += "\\t";
                break;
            case '\n':
                text_ += "\\n";
                break;
            case '\r':
                text_ += "\\r";
                break;
            default:
                text_.push_back(c);
        }
    }
    return *this;
}

CopyLine& CopyLine::add(ByteView bytes) {
    begin_field();
    text_ += "\\\\x";
    text_ += to_hex(bytes);
    return *this;
}

CopyLine& CopyLine::add_plain(std::string_view value) {
    begin_field();
    text_ += value;
    return *this;
}

void CopyLine::begin_field() {
    if (has_field_) text_.push_back('\t');
    has_field_ = true;
}

}  // namespace sycee
