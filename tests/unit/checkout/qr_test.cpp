#include "../../../src/checkout/qr.hpp"

#include <gtest/gtest.h>
#include <qrencode.h>

#include <sstream>

namespace sycee::checkout {
namespace {

std::string const kAddress = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

// Reads the drawing back: "M<x> <y>h<n>v1h-<n>z" for each run.
std::vector<std::vector<bool>> drawn(std::string const& svg, std::size_t size) {
    std::vector<std::vector<bool>> modules(size, std::vector<bool>(size));
    auto const begin = svg.find(" d=\"") + 4;
    std::string const path = svg.substr(begin, svg.find('"', begin) - begin);
    std::istringstream strokes(path);
    std::string stroke;
    while (std::getline(strokes, stroke, 'z')) {
        std::size_t x = 0, y = 0, n = 0;
        char letter = 0;
        std::istringstream(stroke) >> letter >> x >> y >> letter >> n;
        for (std::size_t i = 0; i < n; ++i)
            modules.at(y).at(x + i) = true;
    }
    return modules;
}

TEST(Qr, DrawsTheModulesOfLibqrencodeInsideAMarginOfFour) {
    QRcode* code = QRcode_encodeString8bit(kAddress.c_str(), 0, QR_ECLEVEL_M);
    ASSERT_NE(code, nullptr);
    auto const width = static_cast<std::size_t>(code->width);
    auto const modules = drawn(qr_svg(kAddress, "address").text, width + 8);
    for (std::size_t y = 0; y < width + 8; ++y) {
        for (std::size_t x = 0; x < width + 8; ++x) {
            bool const inside = x >= 4 && y >= 4 && x < width + 4 && y < width + 4;
            bool const dark = inside && (code->data[(y - 4) * width + x - 4] & 1) != 0;
            EXPECT_EQ(modules[y][x], dark) << x << "," << y;
        }
    }
    QRcode_free(code);
}

TEST(Qr, IsDarkOnAWhitePlateAndHasATitle) {
    std::string const svg = qr_svg(kAddress, "QR <code>").text;
    EXPECT_TRUE(svg.contains("fill=\"#fff\""));
    EXPECT_TRUE(svg.contains("fill=\"#000\""));
    EXPECT_TRUE(svg.contains("<title id=\"qr-title\">QR &lt;code&gt;</title>"));
}

}  // namespace
}  // namespace sycee::checkout
