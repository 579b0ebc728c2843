// Durable queues beyond their memory: what waits on disk comes back in order, what is damaged is
// counted and stays (durability.md, D-ROCK-01, D-LSM-02).
#include "tests/support/durable_script.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace support {

namespace {

class Paging : public DurableScript {
protected:
    Paging() {
        settings.limits.queue_memory_bytes = memory;
        starts();
    }

    static constexpr std::size_t memory = 4000;

    [[nodiscard]] static std::string text_of(int number) {
        return std::to_string(number) + std::string(100, '.');
    }

    /// Messages `first` to `last`; those that `is_unstored` picks are not persistent.
    void sends_all(int first, int last, int unstored_every = 0) {
        for (int number = first; number <= last; ++number) {
            Outgoing frame = send(queue, text_of(number));
            const bool is_unstored = unstored_every != 0 && number % unstored_every == 0;
            if (is_unstored) { frame.header("persistent", "false"); }
            alice->writes(frame.encoded(protocol::Version::v1_2));
        }
        broker->settle();
    }

    [[nodiscard]] engine::Queue& the_queue() {
        const unsigned home = broker->router(0).home_of(queue);
        return broker->shards().on(home, [&]() -> engine::Queue& {
            return **broker->router(home).local_queue(queue);
        });
    }

    [[nodiscard]] std::size_t memory_bytes() {
        const unsigned home = broker->router(0).home_of(queue);
        return broker->shards().on(home, [&] { return the_queue().memory_bytes(); });
    }

    /// Takes and acknowledges `number` messages: their numbers.
    std::vector<int> consumes(std::size_t number, const std::string& prefetch = "1") {
        const auto client = connected_client();
        client->sends(subscribe("1", queue, "client-individual").header("prefetch-count", prefetch)
        );
        std::vector<int> numbers;
        while (!client->received().empty() && numbers.size() < number) {
            const Received frame = client->take();
            numbers.push_back(std::stoi("0" + frame.body));
            client->sends(ack(frame.token()));
            if (is_bounded) { EXPECT_LE(memory_bytes(), memory * 3); }
        }
        return numbers;
    }

    [[nodiscard]] static std::vector<int> range(int first, int last) {
        std::vector<int> numbers;
        for (int number = first; number <= last; ++number) {
            numbers.push_back(number);
        }
        return numbers;
    }

    [[nodiscard]] storage::RecoveredQueue stored() {
        const auto all = store->take_recovered();
        EXPECT_EQ(all.size(), 1U);
        return all.front();
    }

    std::string queue = "/queue/long";
    bool is_bounded = true;  ///< Nothing is in memory but what the store has.
};

}  // namespace

TEST_P(Paging, D_LSM_02_MemoryIsBoundedAndTheOrderKept) {
    sends_all(1, 500);
    EXPECT_LE(memory_bytes(), memory);
    EXPECT_EQ(consumes(1000), range(1, 500));
    EXPECT_EQ(the_queue().depth(), 0U);
    EXPECT_EQ(the_queue().bytes(), 0U);
    EXPECT_EQ(stored().messages, 0U);
}

TEST_P(Paging, D_LSM_02_WhileItIsRead) {
    sends_all(1, 100);
    EXPECT_EQ(consumes(30), range(1, 30));
    sends_all(101, 200);
    EXPECT_EQ(consumes(90), range(31, 120));
    sends_all(201, 210);
    EXPECT_EQ(consumes(1000), range(121, 210));
    sends_all(211, 213);
    EXPECT_EQ(consumes(1000), range(211, 213));
}

TEST_P(Paging, D_LSM_02_WithAConsumerThatIsBehind) {
    carol->sends(subscribe("1", queue, "client").header("prefetch-count", "7"));
    sends_all(1, 300);
    std::vector<int> numbers;
    while (!carol->received().empty()) {
        const Received frame = carol->take();
        numbers.push_back(std::stoi("0" + frame.body));
        if (numbers.size() % 20 == 0) { sends_all(300 + 1, 300); }
        carol->sends(ack(frame.token()));
    }
    EXPECT_EQ(numbers, range(1, 300));
}

TEST_P(Paging, P_SEND_09_UnstoredMessagesKeepTheirPlaces) {
    is_bounded = false;
    for (const int every : {2, 3, 7}) {
        starts();
        sends_all(1, 300, every);
        EXPECT_EQ(consumes(1000), range(1, 300)) << every;
    }
}

TEST_P(Paging, P_SEND_09_UnstoredMessagesKeepTheirPlacesWhileItIsRead) {
    is_bounded = false;
    sends_all(1, 100, 5);
    EXPECT_EQ(consumes(20), range(1, 20));
    sends_all(101, 200, 3);
    EXPECT_EQ(consumes(100), range(21, 120));
    sends_all(201, 300, 2);
    EXPECT_EQ(consumes(1000), range(121, 300));
}

TEST_P(Paging, P_SEND_09_ALongPageThatReachesBeyondTheTail) {
    is_bounded = false;
    sends_all(1, 6000, 1000);
    EXPECT_LE(memory_bytes(), memory * 3);
    EXPECT_EQ(consumes(4900, "100"), range(1, 4900));
    sends_all(6001, 6100, 10);
    EXPECT_EQ(consumes(10'000, "100"), range(4901, 6100));
}

TEST_P(Paging, D_LSM_05_WhatIsLeftIsReadAfterARestart) {
    sends_all(1, 300);
    EXPECT_EQ(consumes(50), range(1, 50));
    crashes();
    EXPECT_EQ(the_queue().depth(), 250U);
    sends_all(301, 310);
    EXPECT_EQ(consumes(1000), range(51, 310));
}

TEST_P(Paging, D_LSM_05_HolesStayHoles) {
    sends_all(1, 120);
    carol->sends(subscribe("1", queue, "client-individual").header("prefetch-count", "100"));
    for (int number = 1; number <= 100; ++number) {
        const Received frame = carol->take();
        if (number % 3 != 0 && number / 10 != 4) { carol->sends(ack(frame.token())); }
    }
    std::vector<int> expected;
    for (int number = 1; number <= 120; ++number) {
        if (number > 100 || number % 3 == 0 || number / 10 == 4) { expected.push_back(number); }
    }
    for (const bool is_clean : {true, false}) {
        is_clean ? restarts() : crashes();
        EXPECT_EQ(the_queue().depth(), expected.size());
    }
    EXPECT_EQ(consumes(1000), expected);
    EXPECT_EQ(stored().messages, 0U);
}

TEST_P(Paging, P_ACK_07_WhatComesBackIsInFrontOfThePage) {
    sends_all(1, 200);
    carol->sends(subscribe("1", queue, "client-individual").header("prefetch-count", "100"));
    std::vector<std::string> tokens;
    for (int number = 1; number <= 100; ++number) {
        tokens.push_back(carol->take().token());
    }
    is_bounded = false;
    carol->drops();
    std::vector<int> numbers = consumes(1000);
    EXPECT_EQ(numbers, range(1, 200));
}

TEST_P(Paging, D_ROCK_01_DamagedRecordsAreCountedNotDelivered) {
    sends_all(1, 100);
    const storage::QueueId id = stored().id;
    crashes();
    store->damage(id, 20);
    store->damage(id, 70);
    std::vector<int> expected = range(1, 100);
    std::erase(expected, 20);
    std::erase(expected, 70);
    EXPECT_EQ(consumes(1000), expected);
    EXPECT_EQ(broker->counters().messages_damaged, 2U);
    EXPECT_EQ(the_queue().depth(), 2U);
    // They stay where they are, and so does their queue.
    alice->sends(send("/topic/a", "x"));
    broker->advance(std::chrono::minutes(5));
    restarts();
    EXPECT_EQ(stored().messages, 2U);
    sends_all(101, 102);
    EXPECT_EQ(consumes(1000), range(101, 102));
    EXPECT_EQ(broker->counters().messages_damaged, 2U);
}

TEST_P(Paging, D_COM_03_NothingIsReadBeforeItIsStored) {
    holds();
    sends_all(1, 100);
    carol->sends(subscribe("1", queue).header("prefetch-count", "100"));
    carol->expects_nothing();
    EXPECT_EQ(store->waiting_reads(), 0U);
    commits();
    EXPECT_EQ(bodies(*carol).size(), 100U);
}

TEST_P(Paging, D_FS_01_AFailureWhileItIsRead) {
    sends_all(1, 100);
    holds();
    carol->sends(subscribe("1", queue).header("prefetch-count", "100"));
    store->fail("broken");
    broker->settle();
    alice->sends(send("/topic/a", "x").receipt("r"));
    alice->expects(receipt("r"));
    carol->sends(unsubscribe("1").receipt("u"));
    while (!carol->received().empty() &&
           carol->received().front().command == protocol::Command::message) {
        (void)carol->take();
    }
    carol->expects(receipt("u"));
}

TEST_P(Paging, P_DUR_03_DurableSubscriptionsToo) {
    carol->sends(subscribe("1", "/topic/a").header("durable", "true"));
    carol->sends(unsubscribe("1"));
    for (int number = 1; number <= 200; ++number) {
        alice->writes(send("/topic/a", text_of(number)).encoded(protocol::Version::v1_2));
    }
    broker->settle();
    restarts();
    carol->sends(subscribe("1", "/topic/a").header("durable", "true"));
    const Texts texts = bodies(*carol);
    ASSERT_EQ(texts.size(), 200U);
    for (int number = 1; number <= 200; ++number) {
        EXPECT_EQ(texts[static_cast<std::size_t>(number - 1)], text_of(number));
    }
}

RUN_SCRIPTS_ON_SHARDS(Paging);

}  // namespace support
