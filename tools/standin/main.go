// Package main stands in for a program that nobody here has: a model server that answers its probes, and
// nothing else.
//
//	pause                                    sleeps until it is asked to end: what holds a pod's namespaces
//	initializer-entrypoint SOURCE TARGET…    runs upstream's, beside it, if every SOURCE can be had;
//	                                         else marks each TARGET
//	serve [PROGRAM…]                         runs PROGRAM if a model is in /mnt/models, else answers
//	image [PROGRAM…]                         runs PROGRAM if there is such a program, else answers
//	hook < STATE                             writes which ports a container has, for who answers in it
//
// Under any other name it answers: at the ports that the container has, and that its arguments name, else at
// 8080. Where somebody else listens at all of them, as when a probe is a command, there is nothing left to do.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

const (
	models = "/mnt/models"
	marker = ".nobody-has-this"
	ports  = "/stand-in/ports"
)

// As `--http_port=8080`, `--port 8080` or `"containerPort":8080`, but not `--max-model-len=4096`.
var port = regexp.MustCompile(`(?i)port"?[=: ]([1-9][0-9]{3,4})\b`)

func main() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	program := os.Args[1:]
	switch role := filepath.Base(os.Args[0]); role {
	case "pause":
		<-asked
		return
	case "hook":
		hook()
		return
	case "initializer-entrypoint":
		if fetched(program) {
			run(append([]string{"python", os.Args[0] + ".py"}, program...))
		}
		return
	case "serve":
		if len(program) > 0 && modelled() {
			run(program)
		}
	case "image":
		if len(program) > 0 && exists(program[0]) {
			run(program)
		}
	}
	if answer() {
		<-asked
	}
}

// fetched says whether the sources, each before its target, can be had; else it marks the targets.
func fetched(sources []string) bool {
	can := true
	for i := 0; i+1 < len(sources); i += 2 {
		can = can && strings.HasPrefix(sources[i], os.Getenv("SOURCES"))
	}
	for i := 1; !can && i < len(sources); i += 2 {
		mark(sources[i])
	}
	return can
}

func mark(folder string) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, marker), nil, 0o666); err != nil {
		log.Fatal(err)
	}
}

// modelled says whether there are models, and none that was only marked.
func modelled() bool {
	found, _ := os.ReadDir(models)
	for _, pattern := range []string{marker, "*/" + marker} {
		if marked, _ := filepath.Glob(filepath.Join(models, pattern)); marked != nil {
			return false
		}
	}
	return len(found) > 0
}

func exists(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func run(program []string) {
	path, err := exec.LookPath(program[0])
	if err == nil {
		err = syscall.Exec(path, program, os.Environ())
	}
	log.Fatal(err)
}

// hook is run by runc before a container; its annotations have the ports, and its bundle the files.
func hook() {
	var state struct {
		Bundle      string
		Annotations map[string]string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&state); err != nil {
		log.Fatal(err)
	}
	file := filepath.Join(state.Bundle, "rootfs", ports)
	if _, err := os.Stat(filepath.Dir(file)); err != nil {
		return // Nobody answers in it.
	}
	text := state.Annotations["io.kubernetes.container.ports"]
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}

// answer begins to answer whatever is asked, and says whether it is the one who does.
func answer() bool {
	declared, _ := os.ReadFile(ports)
	words := string(declared) + " " + strings.Join(os.Args[1:], " ")
	wanted := []string{"8080"}
	if found := port.FindAllStringSubmatch(words, -1); found != nil {
		wanted = nil
		for _, match := range found {
			wanted = append(wanted, match[1])
		}
	}
	probed := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(probed, health.NewServer())
	server := http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(
		func(to http.ResponseWriter, asked *http.Request) {
			if strings.HasPrefix(asked.Header.Get("Content-Type"), "application/grpc") {
				probed.ServeHTTP(to, asked)
				return
			}
			fmt.Fprintln(to, `{"answered by": "a stand-in, as nobody here has the program"}`)
		})}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	listens := false
	for _, each := range wanted {
		listener, err := net.Listen("tcp", ":"+each)
		if err != nil {
			log.Print(err)
			continue
		}
		listens = true
		go func() { log.Fatal(server.Serve(listener)) }()
	}
	return listens
}
