#include "document_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace sycee {
namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kReadable = 0644;

}  // namespace

Result<void> write_new_file(std::filesystem::path const& file, std::string const& text,
                            ReadableBy readable_by) {
    auto const failed = [&file] {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): commands run on one thread
        return refuse(file.string(), std::string("can't be written: ") + std::strerror(errno));
    };
    mode_t const mode = readable_by == ReadableBy::owner ? kOwnerOnly : kReadable;
    int const descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor < 0) return failed();
    std::size_t written = 0;
    while (written < text.size()) {
        auto const more = ::write(descriptor, text.data() + written, text.size() - written);
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) break;
        written += static_cast<std::size_t>(more);
    }
    bool const is_whole = written == text.size() && ::fsync(descriptor) == 0;
    auto const result = is_whole ? Result<void>{} : failed();
    ::close(descriptor);
    if (!is_whole) ::unlink(file.c_str());
    return result;
}

Result<std::string> read_document(std::filesystem::path const& file) {
    std::error_code error;
    auto const size = std::filesystem::file_size(file, error);
    if (error) return refuse(file.string(), "can't be read: " + error.message());
    if (size > kMostDocumentBytes) return refuse(file.string(), "is larger than 64 MiB");
    std::ifstream stream(file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) return refuse(file.string(), "can't be read");
    return text;
}

}  // namespace sycee
