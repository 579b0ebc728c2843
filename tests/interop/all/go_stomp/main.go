// go-stomp against the broker: go run . VERSION, with STAMPEDE_TCP.
// Prints "ok TITLE" or "not ok TITLE: REASON" for each fact, and fails if one failed.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-stomp/stomp/v3"
)

const patience = 15 * time.Second

func connect(more ...func(*stomp.Conn) error) *stomp.Conn {
	conn, err := stomp.Dial("tcp", os.Getenv("STAMPEDE_TCP"), append([]func(*stomp.Conn) error{
		stomp.ConnOpt.Login("guest", "guest"),
		stomp.ConnOpt.AcceptVersion(stomp.Version(os.Args[1])),
	}, more...)...)
	must(err)
	return conn
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func check(condition bool, found ...any) {
	if !condition {
		panic(fmt.Errorf("unexpected: %v", found))
	}
}

// No receipt: go-stomp takes that of a SUBSCRIBE for the end of the subscription.
func subscribe(conn *stomp.Conn, destination string, ack stomp.AckMode) *stomp.Subscription {
	subscription, err := conn.Subscribe(destination, ack)
	must(err)
	return subscription
}

func next(subscription *stomp.Subscription) *stomp.Message {
	select {
	case message := <-subscription.C:
		if message == nil {
			panic(errors.New("the subscription has ended"))
		}
		must(message.Err)
		return message
	case <-time.After(patience):
		panic(errors.New("no message came"))
	}
}

func connects() {
	conn := connect()
	check(conn.Version() == stomp.Version(os.Args[1]), conn.Version())
	check(strings.HasPrefix(conn.Server(), "stampede/"), conn.Server())
	check(len(conn.Session()) == 32, conn.Session())
	must(conn.Disconnect())
}

func refused() {
	_, err := stomp.Dial("tcp", os.Getenv("STAMPEDE_TCP"), stomp.ConnOpt.Login("guest", "wrong"))
	check(err != nil && strings.Contains(err.Error(), "auth-failed"), err)
}

func bodies() {
	conn := connect()
	subscription := subscribe(conn, "/topic/bodies", stomp.AckAuto)
	octets := make([]byte, 256)
	for i := range octets {
		octets[i] = byte(i)
	}
	for _, body := range [][]byte{[]byte("hello"), {}, []byte("Grüße, 世界"), octets, bytes.Repeat([]byte("xy"), 500_000)} {
		must(conn.Send("/topic/bodies", "text/plain", body, stomp.SendOpt.Receipt))
		message := next(subscription)
		check(bytes.Equal(message.Body, body), len(message.Body))
		check(message.ContentType == "text/plain", message.ContentType)
	}
	must(conn.Disconnect())
}

func headers() {
	conn := connect()
	subscription := subscribe(conn, "/topic/headers", stomp.AckAuto)
	for _, value := range []string{"a:b", "two\nlines", "back\\slash", "", "Ω"} {
		must(conn.Send("/topic/headers", "text/plain", nil, stomp.SendOpt.Header("x-value", value)))
		found := next(subscription).Header.Get("x-value")
		check(found == value, found)
	}
	must(conn.Disconnect())
}

func acknowledges() {
	conn := connect()
	subscription := subscribe(conn, "/queue/ack", stomp.AckClientIndividual)
	must(conn.Send("/queue/ack", "text/plain", []byte("twice")))
	must(conn.Nack(next(subscription)))
	again := next(subscription)
	check(again.Header.Get("x-delivery-count") == "2", again.Header)
	must(conn.Ack(again))
	must(subscription.Unsubscribe())
	must(conn.Disconnect())
}

func redelivery() {
	doomed := connect()
	subscription := subscribe(doomed, "/queue/lost", stomp.AckClient)
	must(doomed.Send("/queue/lost", "text/plain", []byte("survivor")))
	next(subscription)
	must(doomed.MustDisconnect())
	heir := connect()
	message := next(subscribe(heir, "/queue/lost", stomp.AckAuto))
	check(string(message.Body) == "survivor" && message.Header.Get("redelivered") == "true", message.Header)
	must(heir.Disconnect())
}

func transactions() {
	conn := connect()
	subscription := subscribe(conn, "/queue/tx", stomp.AckAuto)
	aborted, committed := conn.Begin(), conn.Begin()
	must(aborted.Send("/queue/tx", "text/plain", []byte("abort")))
	must(committed.Send("/queue/tx", "text/plain", []byte("commit")))
	must(aborted.AbortWithReceipt())
	must(committed.CommitWithReceipt())
	check(string(next(subscription).Body) == "commit")
	must(conn.Disconnect())
}

func beats() {
	conn := connect(stomp.ConnOpt.HeartBeat(time.Second, time.Second), stomp.ConnOpt.HeartBeatError(300*time.Millisecond))
	// Either side would end this connection within three seconds of silence.
	subscription := subscribe(conn, "/topic/alive", stomp.AckAuto)
	select {
	case message := <-subscription.C:
		panic(fmt.Errorf("the connection ended: %v", message))
	case <-time.After(3 * time.Second):
	}
	must(conn.Send("/topic/alive", "text/plain", []byte("still here"), stomp.SendOpt.Receipt))
	check(string(next(subscription).Body) == "still here")
	must(conn.Disconnect())
}

func failure() {
	conn := connect()
	err := conn.Send("/queue/*", "text/plain", nil, stomp.SendOpt.Receipt)
	check(err != nil && strings.Contains(err.Error(), "bad-destination"), err)
}

var facts = []struct {
	title string
	prove func()
}{
	{"P_VER_01 P_CONN_08 connects", connects},
	{"P_CONN_07 a wrong passcode is refused auth-failed", refused},
	{"P_FRAME_12 P_RCPT_02 bodies arrive as sent, each with a receipt", bodies},
	{"P_FRAME_17 headers arrive as sent", headers},
	{"P_ACK_06 NACK brings the message again", acknowledges},
	{"P_ACK_08 a lost connection gives its deliveries back", redelivery},
	{"P_TX_04 P_TX_05 COMMIT publishes, ABORT does not", transactions},
	{"P_HB_02 P_HB_03 beats of 1000 both ways", beats},
	{"P_ERR_03 a refused SEND is an error of that SEND", failure},
}

func prove(fact func()) (err error) {
	defer func() {
		if found := recover(); found != nil {
			err = fmt.Errorf("%v", found)
		}
	}()
	fact()
	return nil
}

func main() {
	failures := 0
	for _, fact := range facts {
		if err := prove(fact.prove); err != nil {
			failures++
			fmt.Printf("not ok %s: %v\n", fact.title, strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("ok", fact.title)
		}
	}
	if failures > 0 {
		os.Exit(1)
	}
}
