// Reads a register that Batchward published, with Go's note and tlog packages unchanged: it only maps the paths of C2SP
// tlog-tiles to theirs, and reads the three lines of a checkpoint.
//
// Usage: register DIR VKEY, or proof FILE VKEY, or growth FILE OLD-CHECKPOINT VKEY, or cosigned FILE NAME KEY-IN-BASE64.
// It prints what it has checked, and ends with 1 at the first thing that does not hold.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	must(err)
	return data
}

// tree opens a note and reads the checkpoint in it.
func tree(data []byte, vkey string) (tlog.Tree, string) {
	verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
	must(err)
	opened, err := note.Open(data, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		fail("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: root}, opened.Text
}

// tiles reads tiles at their C2SP paths: "tile/8/0/x001/234" is "tile/0/x001/234" there.
type tiles string

func (dir tiles) Height() int { return height }

func (dir tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(dir), path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (dir tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// entries cuts the bundles up to size.
func entries(dir string, size int64) [][]byte {
	var found [][]byte
	for first := int64(0); first < size; first += 256 {
		width := size - first
		if width > 256 {
			width = 256
		}
		path := tlog.Tile{H: height, L: 0, N: first / 256, W: int(width)}.Path()
		path = "tile/entries/" + strings.TrimPrefix(path, "tile/8/0/")
		bundle := read(filepath.Join(dir, path))
		for n := int64(0); n < width; n++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				fail("%s is cut off", path)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			found = append(found, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
		if len(bundle) > 0 {
			fail("%s is too long", path)
		}
	}
	return found
}

func register(dir, vkey string) {
	head, _ := tree(read(filepath.Join(dir, "checkpoint")), vkey)
	// It checks each tile against the signed root before it gives a hash of it.
	reader := tlog.TileHashReader(head, tiles(dir))
	all := entries(dir, head.N)
	for n, entry := range all {
		proof, err := tlog.ProveRecord(head.N, int64(n), reader)
		must(err)
		must(tlog.CheckRecord(proof, head.N, head.Hash, int64(n), tlog.RecordHash(entry)))
	}
	for old := int64(1); old <= head.N; old++ {
		root, err := tlog.TreeHash(old, reader)
		must(err)
		proof, err := tlog.ProveTree(head.N, old, reader)
		must(err)
		must(tlog.CheckTree(proof, head.N, head.Hash, old, root))
	}
	fmt.Printf("%d entries, %d inclusions, %d consistencies\n", head.N, len(all), head.N)
}

// lines reads hashes up to the empty line; what follows is the note.
func hashes(data []byte) ([]tlog.Hash, []byte) {
	var found []tlog.Hash
	for {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			fail("no checkpoint")
		}
		if len(line) == 0 {
			return found, rest
		}
		hash, err := tlog.ParseHash(string(line))
		must(err)
		found, data = append(found, hash), rest
	}
}

func field(data []byte, name string) (string, []byte) {
	line, rest, ok := bytes.Cut(data, []byte("\n"))
	if !ok || !strings.HasPrefix(string(line), name) {
		fail("no %s", name)
	}
	return strings.TrimPrefix(string(line), name), rest
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	must(err)
	return n
}

func proof(file, vkey string) {
	_, data := field(read(file), "c2sp.org/tlog-proof@v1")
	extra, data := field(data, "extra ")
	entry, err := base64.StdEncoding.DecodeString(extra)
	must(err)
	at, data := field(data, "index ")
	index := number(at)
	path, signed := hashes(data)
	head, _ := tree(signed, vkey)
	must(tlog.CheckRecord(path, head.N, head.Hash, index, tlog.RecordHash(entry)))
	fmt.Printf("entry %d of %d\n", index, head.N)
}

func growth(file, kept, vkey string) {
	at, data := field(read(file), "old ")
	path, signed := hashes(data)
	head, _ := tree(signed, vkey)
	old, _ := tree(read(kept), vkey)
	if old.N != number(at) {
		fail("the kept checkpoint has %d entries", old.N)
	}
	must(tlog.CheckTree(path, head.N, head.Hash, old.N, old.Hash))
	fmt.Printf("%d entries grew to %d\n", old.N, head.N)
}

// cosigner is a verifier of C2SP tlog-cosignature, for Go's notes.
type cosigner struct {
	name string
	key  ed25519.PublicKey
}

func (c cosigner) Name() string { return c.name }

func (c cosigner) KeyHash() uint32 {
	sum := sha256.Sum256(append([]byte(c.name+"\n\x04"), c.key...))
	return binary.BigEndian.Uint32(sum[:])
}

func (c cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), text...), sig[8:])
}

func cosigned(file, vkey string) {
	parts := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	if len(key) != 33 || key[0] != 4 {
		fail("not the key of a cosigner")
	}
	opened, err := note.Open(read(file), note.VerifierList(cosigner{parts[0], key[1:]}))
	must(err)
	fmt.Printf("%d cosignatures\n", len(opened.Sigs))
}

func main() {
	args := append(os.Args[1:], "", "", "", "")
	switch args[0] {
	case "register":
		register(args[1], args[2])
	case "proof":
		proof(args[1], args[2])
	case "growth":
		growth(args[1], args[2], args[3])
	case "cosigned":
		cosigned(args[1], args[2])
	default:
		fail("register, proof, growth or cosigned")
	}
}
