package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sort"
	"strings"
	"time"
)

// A signer signs requests to AWS, Signature Version 4:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signer struct {
	key, secret, session string
	region, service      string
}

// sign adds the headers that prove who asks. The address has no query, and a path that needs no
// escaping: DynamoDB is always asked at "/".
func (s signer) sign(request *http.Request, body []byte, now time.Time) {
	stamp := now.UTC().Format("20060102T150405Z")
	scope := strings.Join([]string{stamp[:8], s.region, s.service, "aws4_request"}, "/")
	request.Header.Set("X-Amz-Date", stamp)
	if s.session != "" {
		request.Header.Set("X-Amz-Security-Token", s.session)
	}
	names, headers := canonical(request)
	asked := strings.Join(
		[]string{request.Method, request.URL.Path, "", headers, names, digest(body)}, "\n")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", stamp, scope, digest([]byte(asked))}, "\n")
	key := []byte("AWS4" + s.secret)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.key+"/"+scope+
		", SignedHeaders="+names+", Signature="+hex.EncodeToString(mac(key, text)))
}

// canonical gives the names of the headers, and the headers a line each, in AWS's order.
func canonical(request *http.Request) (names, lines string) {
	all := map[string]string{"host": request.URL.Host}
	for name, values := range request.Header {
		all[strings.ToLower(name)] = strings.TrimSpace(strings.Join(values, ","))
	}
	sorted := make([]string, 0, len(all))
	for name := range all {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	for _, name := range sorted {
		lines += name + ":" + all[name] + "\n"
	}
	return strings.Join(sorted, ";"), lines
}

func mac(key []byte, text string) []byte {
	hash := hmac.New(sha256.New, key)
	hash.Write([]byte(text))
	return hash.Sum(nil)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
