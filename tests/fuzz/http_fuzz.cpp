// HTTP as the server reads it, over a real connection: as many answers as requests that were handed
// on, and at most one refusal, after which nothing more is read.
#include <sycee/net/http_server.hpp>
#include <sycee/runtime/task_group.hpp>

#include "fuzz.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <run_task.hpp>

namespace sycee {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using tcp = asio::ip::tcp;

struct World {
    int handled = 0;
    asio::io_context io{1};
    TaskGroup tasks{io.get_executor(), 100};
    HttpServer server{io.get_executor(), "127.0.0.1", 0,
                      HttpServerLimits{.header_bytes = 1024, .body_bytes = 1024},
                      [this](HttpRequest const& request) { return answer(request); }};

    World() { tasks.spawn("server", server.run()); }

    Task<HttpResponse> answer(HttpRequest const& request) {
        ++handled;
        require(request.path.starts_with('/'), "a path that does not begin with a slash");
        require(request.body.size() <= 1024, "a body beyond the limit");
        co_return text_response(200, "text/plain", "ok");
    }

    Task<std::string> exchange(std::string text) {
        boost::system::error_code ec;
        tcp::socket socket(io.get_executor());
        co_await socket.async_connect({asio::ip::address_v4::loopback(), server.port()},
                                      asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(text),
                                   asio::redirect_error(asio::use_awaitable, ec));
        socket.shutdown(tcp::socket::shutdown_send, ec);
        std::string all;
        std::array<char, 4096> chunk{};
        for (;;) {
            auto const size = co_await socket.async_read_some(
                asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, ec));
            if (ec) break;
            all.append(chunk.data(), size);
        }
        // No port is kept for what may still come: there are many connections a second.
        socket.set_option(asio::socket_base::linger(true, 0), ec);
        co_return all;
    }
};

int count(std::string_view text, std::string_view what) {
    int found = 0;
    for (auto at = text.find(what); at != std::string_view::npos;
         at = text.find(what, at + what.size()))
        ++found;
    return found;
}

}  // namespace
}  // namespace sycee

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace sycee;
    static World& world = *new World;  // to the end of the process
    world.handled = 0;
    auto const answers = run_task(world.io, world.exchange(std::string(text_of(data, size))));
    int const good = count(answers, "HTTP/1.1 200 OK\r\n");
    int const all = count(answers, "HTTP/1.1 ") - count(answers, "HTTP/1.1 100 Continue\r\n");
    require(good == world.handled, "another number of answers than of requests");
    require(all - good <= 1, "more than one refusal");
    return 0;
}
