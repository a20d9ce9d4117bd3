package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A process is a peer that serves in a process of its own, so that its CPU
// time can be told from the load generator's.
type process struct {
	command *exec.Cmd
	stdin   io.Closer
	address string
}

// start runs this same binary with -serve for one work, pinned to one core.
func start(ctx context.Context, peer, work string, cpu int) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// taskset replaces itself by the command, so its process id stays the server's.
	c := exec.CommandContext(ctx, "taskset", "-c", strconv.Itoa(cpu), self, "-serve", peer, "-work", work)
	c.Env = append(os.Environ(), "GOMAXPROCS=1")
	c.Stderr = os.Stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := &process{command: c, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("server gave no address: %w", err), p.stop())
	}
	p.address = strings.TrimSpace(line)
	return p, nil
}

// stop ends the server by ending its input, and kills it if that takes long.
func (p *process) stop() error {
	closed := p.stdin.Close()
	impatient := time.AfterFunc(5*time.Second, func() { _ = p.command.Process.Kill() })
	defer impatient.Stop()
	return errors.Join(closed, p.command.Wait())
}

// ticksPerSecond is USER_HZ, which Linux has fixed at 100 for user space on
// every architecture that Go runs on.
const ticksPerSecond = 100

// cpuTime is what the server has spent, in user and in system mode. The kernel
// tells it in hundredths of a second.
func (p *process) cpuTime() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	return parseStat(string(stat))
}

// parseStat reads utime and stime, fields 14 and 15 of proc_pid_stat(5). Field
// 2 is the name of the program in parentheses and may hold anything, spaces
// and parentheses too, so counting starts after the last one.
func parseStat(stat string) (time.Duration, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is shorter than expected")
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticksPerSecond, errors.Join(errUser, errSystem)
}
