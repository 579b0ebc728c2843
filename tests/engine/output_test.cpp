// Output on its way: blocks that subscribers share, the pool, and what a connection accounts for.
#include "broker/engine/outbox.hpp"
#include "tests/support/script.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace support {

namespace {

using engine::Block;
using engine::BlockPool;
using engine::BlockRef;

class Output : public SessionScript {};

}  // namespace

TEST(BlockPool, GivesBlocksOfThreeSizesAndTakesThemBack) {
    const std::int64_t before = engine::accounted_bytes();
    BlockPool pool;
    {
        const BlockRef small(pool.take(10));
        const BlockRef standard(pool.take(BlockPool::small + 1));
        const BlockRef large(pool.take(BlockPool::standard + 1));
        EXPECT_EQ(small->capacity, BlockPool::small);
        EXPECT_EQ(standard->capacity, BlockPool::standard);
        EXPECT_EQ(large->capacity, BlockPool::standard + 1);
        EXPECT_GT(engine::accounted_bytes(), before);
    }
    EXPECT_EQ(engine::accounted_bytes(), before);
    Block* again = nullptr;
    {
        const BlockRef reused(pool.take(10));
        again = reused.get();
        EXPECT_EQ(reused->size, 0U);
        EXPECT_EQ(reused->references, 1U);
    }
    const BlockRef once_more(pool.take(20));
    EXPECT_EQ(once_more.get(), again);
}

TEST(BlockRef, CountsItsCopies) {
    BlockPool pool;
    BlockRef first(pool.take(1));
    BlockRef second = first;
    EXPECT_EQ(first->references, 2U);
    BlockRef third(std::move(second));
    EXPECT_EQ(first->references, 2U);
    third = BlockRef();
    EXPECT_EQ(first->references, 1U);
    EXPECT_FALSE(third);
}

TEST_F(OneShard, EqualFramesAreBuiltOnceForAllSubscribers) {
    alice.connects();
    std::vector<std::unique_ptr<TestClient>> readers;
    for (int i = 0; i < 4; ++i) {
        readers.push_back(std::make_unique<TestClient>(broker));
        readers.back()->connects().sends(subscribe("sub-0", "/topic/a"));
        readers.back()->stops_reading();
    }
    alice.writes(
        send("/topic/a", "one").encoded(alice.version()) +
        send("/topic/a", "two").encoded(alice.version())
    );
    std::set<const Block*> blocks;
    for (const auto& reader : readers) {
        const auto segments = reader->outbox().segments();
        ASSERT_EQ(segments.size(), 1U);
        blocks.insert(segments.front().block.get());
    }
    EXPECT_EQ(blocks.size(), 1U);
    broker.settle();
    for (const auto& reader : readers) {
        reader->reads_all();
        reader->expects(message("sub-0", "one"));
        reader->expects(message("sub-0", "two"));
    }
}

TEST_P(Output, SharedBlocksKeepTheirReadersApart) {
    alice.connects();
    std::vector<std::unique_ptr<TestClient>> readers;
    const std::vector<std::string> versions = {"1.0", "1.1", "1.2"};
    for (std::size_t i = 0; i < 18; ++i) {
        TestClient::Options options;
        if (i % 2 == 1) { options.framing = engine::Framing::web_socket; }
        readers.push_back(std::make_unique<TestClient>(broker, options));
        readers.back()->connects(versions[i % 3]);
        readers.back()->sends(subscribe(i % 5 == 0 ? "other" : "same", "/topic/a").receipt("r"));
        readers.back()->expects(receipt("r"));
        if (i % 4 == 0) { readers.back()->stops_reading(); }
    }
    for (int i = 0; i < 40; ++i) {
        // RECEIPTs of a reader's own in between, bodies small, large, and by reference.
        const std::string body(static_cast<std::size_t>(i % 7 == 6 ? 9000 : i * 13), 'x');
        alice.writes(send("/topic/a", body).header("c", "a:b").encoded(alice.version()));
        TestClient& reader = *readers[static_cast<std::size_t>(i) % readers.size()];
        reader.writes(unsubscribe("none").receipt(std::to_string(i)).encoded(reader.version()));
        if (i % 3 == 0) { broker.settle(); }
        if (i % 5 == 0) { reader.reads(static_cast<std::size_t>(i) * 50); }
    }
    for (const auto& reader : readers) {
        reader->reads_all();
        EXPECT_EQ(reader->fault(), "");
        std::size_t next = 0;
        while (!reader->received().empty()) {
            const Received got = reader->take();
            if (got.command != protocol::Command::message) { continue; }
            EXPECT_EQ(got.body.size(), next % 7 == 6 ? 9000U : next * 13);
            EXPECT_EQ(got.value("c"), "a:b");
            ++next;
        }
        EXPECT_EQ(next, 40U);
    }
}

TEST_P(Output, P_WS_11_OneFrameInEachMessage) {
    alice.connects();
    bob.connects().sends(subscribe("1", "/topic/a"));
    for (int i = 0; i < 10; ++i) {
        alice.writes(send("/topic/a", std::string(5000, 'x')).encoded(alice.version()));
    }
    broker.settle();
    EXPECT_EQ(bob.fault(), "");
    EXPECT_EQ(bob.received().size(), 10U);
}

TEST_P(Output, EverythingIsReleasedWhenAllAreGone) {
    const std::int64_t before = engine::accounted_bytes();
    {
        TestBroker other(GetParam());
        TestClient sender(other);
        TestClient reader(other);
        TestClient slow(other);
        sender.connects();
        reader.connects()
            .sends(subscribe("1", "/queue/a", "client"))
            .sends(subscribe("2", "/topic/a"));
        slow.connects()
            .sends(subscribe("1", "/queue/a"))
            .sends(subscribe("2", "/topic/a", "client"));
        slow.stops_reading();
        for (int i = 0; i < 30; ++i) {
            sender.sends(send("/queue/a", std::string(10'000, 'x')));
            sender.sends(send("/topic/a", std::string(10'000, 'x')));
            sender.sends(send("/temp-queue/n", "x"));
        }
        sender.sends(begin("t")).sends(send("/queue/b", "x").transaction("t"));
        EXPECT_GT(engine::accounted_bytes(), before);
    }
    EXPECT_EQ(engine::accounted_bytes(), before);
}

RUN_SCRIPTS_ON_SHARDS(Output);

}  // namespace support
