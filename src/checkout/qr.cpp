#include "qr.hpp"

#include <sycee/base/assert.hpp>

#include <qrencode.h>

#include <memory>

namespace sycee::checkout {
namespace {

constexpr std::size_t kMargin = 4;

struct FreeCode {
    void operator()(QRcode* code) const { QRcode_free(code); }
};

// One stroke for each run of dark modules in a row.
std::string path_of(std::vector<std::vector<bool>> const& modules) {
    std::string path;
    for (std::size_t y = 0; y < modules.size(); ++y) {
        auto const& row = modules[y];
        for (std::size_t x = 0; x < row.size();) {
            std::size_t end = x;
            while (end < row.size() && row[end])
                ++end;
            if (end > x) {
                std::string const run = std::to_string(end - x);
                path += "M" + std::to_string(x + kMargin) + " " + std::to_string(y + kMargin) +
                        "h" + run + "v1h-" + run + "z";
            }
            x = end + 1;
        }
    }
    return path;
}

}  // namespace

std::vector<std::vector<bool>> qr_modules(std::string const& content) {
    std::unique_ptr<QRcode, FreeCode> const code(
        QRcode_encodeString8bit(content.c_str(), 0, QR_ECLEVEL_M));
    ensure(code != nullptr, "checkout: libqrencode made no code");
    auto const width = static_cast<std::size_t>(code->width);
    std::vector<std::vector<bool>> modules(width, std::vector<bool>(width));
    for (std::size_t y = 0; y < width; ++y) {
        for (std::size_t x = 0; x < width; ++x) {
            modules[y][x] = (code->data[y * width + x] & 1U) != 0;
        }
    }
    return modules;
}

Html qr_svg(std::string const& content, std::string_view title) {
    auto const modules = qr_modules(content);
    auto const size = modules.size() + 2 * kMargin;
    return html(R"(<svg class="qr" role="img" aria-labelledby="qr-title" viewBox="0 0 {} {}")"
                R"( shape-rendering="crispEdges" xmlns="http://www.w3.org/2000/svg">)"
                R"(<title id="qr-title">{}</title><rect width="{}" height="{}" fill="#fff"/>)"
                R"(<path fill="#000" d="{}"/></svg>)",
                {size, size, title, size, size, path_of(modules)});
}

}  // namespace sycee::checkout
