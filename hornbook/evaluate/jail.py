"""The inside of the sandbox (sandbox.py): a program of its own that shuts itself in and then runs code nobody has read.

Started as `python -I -S jail.py`. It reads a line of JSON (program, memory, seconds), gives up what it can, runs the
program, says `ready`, reads a second line (tests) and runs those. Every answer is a line of JSON: {"came", "said"}.
"""

import json
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
BIND, RECURSIVE, PRIVATE, DETACH = 4096, 16384, 1 << 18, 2
PIVOT_ROOT, MOUNT_SETATTR, RDONLY, AT_FDCWD, AT_RECURSIVE = 155, 442, 1, -100, 0x8000  # numbers of x86_64
NO_NEW_PRIVS, SET_SECCOMP, DEATH = 38, 22, 1
THREAD = 0x00010000  # clone's flag: not a process
NAME = "<program>"
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LIBRARIES = ("/usr", "/lib", "/lib64", "/lib32", "/bin")
# What the kernel refuses: other processes, the network, changing files, other users' business.
REFUSED = {
    "socket": 41, "socketpair": 53, "connect": 42, "bind": 49, "fork": 57, "vfork": 58, "execve": 59, "kill": 62,
    "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87,
    "symlink": 88, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "ptrace": 101, "setpgid": 109,
    "setsid": 112, "mknod": 133, "pivot_root": 155, "chroot": 161, "mount": 165, "umount2": 166, "tkill": 200,
    "mkdirat": 258, "mknodat": 259, "fchownat": 260, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266,
    "fchmodat": 268, "unshare": 272, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
    "renameat2": 316, "bpf": 321, "execveat": 322, "io_uring_setup": 425, "clone3": 435, "openat2": 437,
    "mount_setattr": 442,
}  # fmt: skip
OPEN, OPENAT, CLONE, ENOSYS, EPERM = 2, 257, 56, 38, 1
LOAD, SAME, ANY, RETURN = 0x20, 0x15, 0x45, 0x06  # of the filter's machine: load a word, jump if equal, if bits are set
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
# What Python itself tells of and is refused before the kernel sees it, so that the outcome has a name.
FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.remove", "os.rename",
    "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.kill", "os.killpg",
    "os.putenv", "os.utime", "shutil.", "pty.", "ctypes.", "tempfile.", "signal.pthread_kill", "resource.setrlimit",
    "resource.prlimit", "cpython.run_",
)  # fmt: skip


def main() -> None:
    """Everything, in order; ends by os._exit, so nothing the program left (threads, atexit) runs on."""
    questions, channel = os.fdopen(os.dup(0)), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    wish = json.loads(questions.readline())
    tell = _teller(channel)
    guards = _shut_in(wish)
    tell("guards", ", ".join(guards))
    sys.addaudithook(_hook(tell))
    names: dict[str, Any] = {"__name__": "solution", "__builtins__": __builtins__}
    if _run(wish["program"], names, tell):
        tell("ready", "")
        tests = json.loads(questions.readline())
        if _run(tests["tests"], names, tell):
            tell("passed", tests["word"])
    os._exit(0)


def _teller(channel: int) -> Callable[[str, str], None]:
    write, dumps = os.write, json.dumps  # ours, whatever the program makes of the modules

    def tell(came: str, said: str) -> None:
        write(channel, (dumps({"came": came, "said": said[:400]}) + "\n").encode())

    return tell


def _run(source: str, names: dict[str, Any], tell: Callable[[str, str], None]) -> bool:
    """Whether it ran to its end; what stopped it is told."""
    try:
        code: CodeType = compile(source, NAME, "exec", dont_inherit=True)
        exec(code, names)
    except AssertionError as error:
        tell("failed", str(error) or _where(error))
    except MemoryError:
        tell("memory", "")
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: whatever ends it before its tests did
        tell("error", f"{type(error).__name__}: {_words(error)}")
    else:
        return True
    return False


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # an exception of the program's own may fail at saying what it is
        return "says nothing of itself"


def _where(error: BaseException) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"the assertion of line {at.tb_lineno}" if at else "an assertion"


def _hook(tell: Callable[[str, str], None]) -> Callable[[str, tuple[Any, ...]], None]:
    """Ends the process at the first thing it may not do."""
    end, readable = os._exit, (*(os.path.realpath(each) for each in (sys.base_prefix, *sys.path) if each), "/usr/lib")

    def hook(event: str, about: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = about
            if isinstance(path, int):
                return
            if path == NAME:  # a syntax error looks for its line
                raise FileNotFoundError(path)
            if flags & WRITES:
                tell("forbidden", f"writing {path!r}")
                end(1)
            if not os.path.abspath(os.fsdecode(path)).startswith(readable):
                tell("forbidden", f"reading {path!r}")
                end(1)
        elif event.startswith(FORBIDDEN):
            tell("forbidden", event)
            end(1)

    return hook


def _shut_in(wish: dict[str, Any]) -> list[str]:
    """Give up rights for good; the names of what holds."""
    guards = []
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        guards += ["namespaces"] if platform.machine() == "x86_64" and _leave(libc) else []
        guards += ["seccomp"] if platform.machine() == "x86_64" and _filter(libc) else []
        for name in [each for each in sys.modules if "ctypes" in each]:
            del sys.modules[name]
    most, seconds = int(wish["memory"]), int(wish["seconds"]) + 1
    for kind, limit in (("AS", most), ("CPU", seconds), ("FSIZE", 0), ("NOFILE", 32), ("CORE", 0), ("NPROC", 64)):
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (limit, limit))
        except (ValueError, OSError):  # macOS knows no bound of the address space
            continue
        guards.append(kind)
    return guards


def _leave(libc: Any) -> bool:
    """Into namespaces of its own: no network, no other process, a root that holds Python's files, read-only."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEWUSER | NEWNS | NEWNET | NEWIPC | NEWPID):
        return False
    for name, line in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)
    child = os.fork()  # the first process of the new namespace: as it ends, the kernel ends all others in it
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
    libc.prctl(DEATH, signal.SIGKILL, 0, 0, 0)
    _root(libc)
    return True


def _root(libc: Any) -> None:
    def done(result: int, what: str) -> None:
        if result:
            raise OSError(f"the sandbox cannot {what}")

    root = b"/tmp"  # its own from here on
    done(libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None), "leave the mounts")
    folders = [path for path in dict.fromkeys((*LIBRARIES, sys.base_prefix)) if os.path.exists(path)]
    opened = {path: os.open(path, os.O_PATH | os.O_NOFOLLOW) for path in folders}  # /tmp may hide one of them
    links = {path: os.readlink(path) for path in folders if os.path.islink(path)}
    done(libc.mount(b"none", root, b"tmpfs", 0, b"size=1m"), "make a root")
    for path, number in opened.items():
        place = "/tmp" + path
        if path in links:
            os.symlink(links[path], place)
        elif not os.path.exists(place):  # a folder below another one is there already
            os.makedirs(place)
            source = f"/proc/self/fd/{number}".encode()
            done(libc.mount(source, place.encode(), None, BIND | RECURSIVE, None), f"show {path}")
        os.close(number)
    os.chdir(root)
    done(libc.syscall(PIVOT_ROOT, b".", b"."), "change the root")
    done(libc.umount2(b".", DETACH), "leave the old root")
    rights = struct.pack("QQQQ", RDONLY, 0, 0, 0)
    done(libc.syscall(MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, rights, len(rights)), "make the root read-only")
    os.chdir("/")


def _filter(libc: Any) -> bool:
    """A list of system calls that are refused from here on (seccomp's second mode)."""
    import ctypes

    steps = [(LOAD, 0, 0, 4), (SAME, 1, 0, 0xC000003E), (RETURN, 0, 0, REFUSE | EPERM), (LOAD, 0, 0, 0)]
    steps += [(ANY, 0, 1, 0x40000000), (RETURN, 0, 0, REFUSE | EPERM)]  # the x32 names of the same calls
    for name, number in REFUSED.items():
        wrong = ENOSYS if name == "clone3" else EPERM  # libc then takes clone, whose flags can be read
        steps += [(SAME, 0, 1, number), (RETURN, 0, 0, REFUSE | wrong)]
    for number, place, bits, with_bits, without in (
        (OPEN, 24, WRITES, REFUSE | EPERM, ALLOW),  # the place of an argument: 16 + 8 x its number
        (OPENAT, 32, WRITES, REFUSE | EPERM, ALLOW),
        (CLONE, 16, THREAD, ALLOW, REFUSE | EPERM),
    ):
        steps += [(SAME, 0, 4, number), (LOAD, 0, 0, place), (ANY, 0, 1, bits)]
        steps += [(RETURN, 0, 0, with_bits), (RETURN, 0, 0, without)]
    steps += [(RETURN, 0, 0, ALLOW)]
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(program)
    about = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(held))
    return not libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) and not libc.prctl(SET_SECCOMP, 2, about, 0, 0)


if __name__ == "__main__":
    main()
