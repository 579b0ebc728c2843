// How admin calls look at shards: work is run on each, what it returns comes back to the call.
// Used from coroutines on the first shard; what it runs elsewhere may use that shard's objects
// only.
#pragma once

#include "broker/admin/response.hpp"
#include "broker/transport/io_shard.hpp"
#include "broker/transport/listener.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace admin {

class Shards {
public:
    static constexpr std::chrono::seconds patience{5};

    /// Each shard with its connections, in the order of their numbers.
    explicit Shards(std::vector<transport::Post> posts) : posts_(std::move(posts)) {}

    [[nodiscard]] std::size_t count() const { return posts_.size(); }

    [[nodiscard]] transport::IoShard& first() const { return *posts_.front().shard; }

    [[nodiscard]] const std::vector<transport::Post>& posts() const { return posts_; }

    /// Waits for an answer that `begin(done)` leads to: `done(T)` may be called on any thread,
    /// once. Refuses 503 if none comes in `time`. T must be movable.
    template <class T, class Begin>
    boost::asio::awaitable<T> receive(Begin begin, std::chrono::seconds time = patience) const {
        struct Answer {
            explicit Answer(boost::asio::io_context& io) : timer(io) {}

            boost::asio::steady_timer timer;
            std::optional<T> value;
        };

        boost::asio::io_context& io = first().io();
        const auto answer = std::make_shared<Answer>(io);
        answer->timer.expires_after(time);
        std::function<void(T)> done = [answer, &io](T value) {
            const auto box = std::make_shared<T>(std::move(value));
            boost::asio::post(io, [answer, box] {
                answer->value = std::move(*box);
                answer->timer.cancel();
            });
        };
        begin(std::move(done));
        if (!answer->value) {
            (void
            )co_await answer->timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        }
        if (!answer->value) { throw Refused(503, "A shard did not answer in time. Ask again."); }
        co_return std::move(*answer->value);
    }

    /// work(const transport::Post&) on one shard.
    template <class F>
    auto ask(std::size_t shard, F work) const
        -> boost::asio::awaitable<std::invoke_result_t<F, const transport::Post&>> {
        using T = std::invoke_result_t<F, const transport::Post&>;
        const transport::Post post = posts_[shard];
        return receive<T>([post, work = std::move(work)](std::function<void(T)> done) mutable {
            post.shard->post([post, work = std::move(work), done = std::move(done)]() mutable {
                done(work(post));
            });
        });
    }

    /// begin(const transport::Post&, done) on every shard, at the same time; done(T) is called
    /// there, once, at once or later. Answers in the shards' order.
    template <class T, class Begin>
    boost::asio::awaitable<std::vector<T>> gather(Begin begin) const {
        struct Gathering {
            std::vector<T> answers;
            std::size_t missing = 0;
            std::function<void(std::vector<T>)> done;
        };

        return receive<std::vector<T>>([this, begin](std::function<void(std::vector<T>)> done) {
            const auto all = std::make_shared<Gathering>();
            all->answers.resize(posts_.size());
            all->missing = posts_.size();
            all->done = std::move(done);
            for (std::size_t i = 0; i < posts_.size(); ++i) {
                const transport::Post post = posts_[i];
                std::function<void(T)> answer = [all, i, home = &first()](T value) {
                    auto box = std::make_shared<T>(std::move(value));
                    home->post([all, i, box = std::move(box)] {
                        all->answers[i] = std::move(*box);
                        if (--all->missing == 0) { all->done(std::move(all->answers)); }
                    });
                };
                post.shard->post([post, begin, answer = std::move(answer)]() mutable {
                    begin(post, std::move(answer));
                });
            }
        });
    }

    /// work(const transport::Post&) on every shard, at the same time; answers in their order.
    template <class F>
    auto ask_all(F work) const
        -> boost::asio::awaitable<std::vector<std::invoke_result_t<F, const transport::Post&>>> {
        using T = std::invoke_result_t<F, const transport::Post&>;
        return gather<T>([work](
                             const transport::Post& post, const std::function<void(T)>& done
                         ) mutable { done(work(post)); });
    }

private:
    std::vector<transport::Post> posts_;
};

}  // namespace admin
