// Loops on several threads.
#ifndef EASEL_WORKERS_H
#define EASEL_WORKERS_H

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace easel {

// Lets this thread run on every processor that the program may use: OpenVINO ties its own threads to one each, and
// threads begin where the one that made them is.
void leaveProcessor();

// Calls, for each index below `count`, what `makeBody` gives on each of so many threads.
template <typename MakeBody>
void forEach(std::size_t count, unsigned threads, MakeBody makeBody) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failing;
    const auto work = [&] {
        try {
            auto body = makeBody();
            for (std::size_t index; (index = next++) < count;) body(index);
        } catch (...) {
            const std::lock_guard<std::mutex> lock(failing);
            failure = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    const std::size_t wanted = std::min<std::size_t>(threads, count);
    try {
        // A vector that had to grow could throw with threads in it, which must not be destroyed while they run.
        others.reserve(wanted);
        for (std::size_t index = 1; index < wanted; index++)
            others.emplace_back([&] {
                leaveProcessor();
                work();
            });
    } catch (const std::exception &) {
        // No thread more, or no memory for one. Those that there are do all of it.
    }
    work();
    for (auto &other : others) other.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace easel

#endif
