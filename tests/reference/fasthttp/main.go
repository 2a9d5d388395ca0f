// The service people would write in Go for speed: fasthttp and fastjson.
//
// usage: fasthttp PORT [DOWNSTREAM_URL [HOST]]
// Without a downstream it answers {"sum":N}, with one {"ok":true}. The request id
// is passed on.
package main

import (
	"log"
	"os"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"
)

const (
	requestID         = "X-Request-ID"
	downstreamTimeout = 10 * time.Second
	bodyMost          = 128 << 20
)

var (
	parsers    fastjson.ParserPool
	client     = fasthttp.Client{MaxConnsPerHost: 4096, NoDefaultUserAgentHeader: true}
	downstream string
)

func answer(ctx *fasthttp.RequestCtx, status int, body string) {
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	ctx.SetBodyString(body)
}

func addUp(body []byte) (int64, error) {
	parser := parsers.Get()
	defer parsers.Put(parser)
	document, err := parser.ParseBytes(body)
	if err != nil {
		return 0, err
	}
	items := document.Get("items")
	if items == nil {
		return 0, strconv.ErrSyntax
	}
	array, err := items.Array()
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, item := range array {
		value := item.Get("value")
		if value == nil {
			return 0, strconv.ErrSyntax
		}
		number, err := value.Int64()
		if err != nil {
			return 0, err
		}
		sum += number * 2
	}
	return sum, nil
}

func post(body string, id []byte) bool {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(downstream)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType("application/json")
	if len(id) > 0 {
		request.Header.SetBytesV(requestID, id)
	}
	request.SetBodyString(body)
	err := client.DoTimeout(request, response, downstreamTimeout)
	return err == nil && response.StatusCode() >= 200 && response.StatusCode() < 300
}

func handle(ctx *fasthttp.RequestCtx) {
	if !ctx.IsPost() {
		answer(ctx, 405, `{"error":"POST only"}`)
		return
	}
	sum, err := addUp(ctx.PostBody())
	if err != nil {
		answer(ctx, 400, `{"error":"json"}`)
		return
	}
	result := `{"sum":` + strconv.FormatInt(sum, 10) + `}`
	if downstream == "" {
		answer(ctx, 200, result)
	} else if post(result, ctx.Request.Header.Peek(requestID)) {
		answer(ctx, 200, `{"ok":true}`)
	} else {
		answer(ctx, 502, `{"error":"downstream"}`)
	}
}

func main() {
	host := "127.0.0.1"
	if len(os.Args) > 2 {
		downstream = os.Args[2]
	}
	if len(os.Args) > 3 {
		host = os.Args[3]
	}
	server := fasthttp.Server{Handler: handle, MaxRequestBodySize: bodyMost,
		NoDefaultServerHeader: true}
	log.Fatal(server.ListenAndServe(host + ":" + os.Args[1]))
}
