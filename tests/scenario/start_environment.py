#!/usr/bin/env python3
"""Settings from environment variables: what wins, what is shown, what lasts
over a reload and an upgrade, and who else reads them."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import kit
import procfs
import reloads
import tap
from pool import SAMPLE, Pool, run_tallyctl, run_tallyd

SECRET = "user-and-password"


def settings_file(text):
    path = kit.fresh_path("tallyd.conf")
    path.write_text(text)
    return path


def environment_of(pid):
    return pathlib.Path(f"/proc/{pid}/environ").read_bytes()


@tap.test
def the_environment_wins_over_the_file():
    """and -s over both; -T says where each value is from"""
    path = settings_file("[pool]\nworkers = 3\nnice = 1\nbacklog = 4\n"
                         "[endpoint cart]\nmax_body = 1k\n")
    status, out, errors = run_tallyd(
        "-T", "-c", path, "-s", "pool.backlog=5",
        env={"TALLYD_POOL_WORKERS": "16", "TALLYD_POOL_BACKLOG": "6",
             "TALLYD_ENDPOINT_CART_MAX_BODY": "2k",
             "TALLYD_ENDPOINT_NEW_PATH": "/new"})
    tap.equal(status, 0, f"the exit status ({errors})")
    for lines in (f"; {path}:3\nnice = 1\n", "; -s\nbacklog = 5\n",
                  "; TALLYD_POOL_WORKERS\nworkers = 16\n",
                  "; TALLYD_ENDPOINT_CART_MAX_BODY\nmax_body = 2k\n",
                  "[endpoint new]\n; TALLYD_ENDPOINT_NEW_PATH\npath = /new\n"):
        tap.contains(out, "\n" + lines, "-T")


@tap.test
def no_name_drives_a_terminal():
    """a name with control characters is told without them"""
    path = settings_file("[endpoint cart]\npath = /cart\n")
    status, _out, errors = run_tallyd(
        "-t", "-c", path, env={"TALLYD_\x1b]0;x\a": "1"})
    tap.equal(status, 78, errors)
    tap.check(errors.startswith("tallyd: TALLYD_?]0;x?: "), repr(errors))


@tap.test
def each_mistake_is_told():
    """each mistake names its variable, and ends the start with status 78"""
    path = settings_file("[endpoint cart]\npath = /cart\n")
    for name, value, wanted in (
            ("TALLYD_POOL_WORKER", "1", "did you mean TALLYD_POOL_WORKERS?"),
            ("TALLYD_POOL_WORKERS", "many",
             "must be auto, or a whole number, 0..1024"),
            ("TALLYD_POOL_NAME", "a\nb", "has a control character"),
            ("TALLYD_POOL_NAME", "x" * 5000, "the value is too long"),
            ("TALLYD_POOL_NAME_FILE", "/none/such", "No such file"),
            ("TALLYD_POOL_NAME_FILE", "/dev/zero", "not a regular file"),
            ("TALLYD_ENDPOINT_CRAT_ARRAY", "x", "TALLYD_ENDPOINT_NAME_PATH")):
        for arguments in ("-t", "-c", path), ("-c", path):
            status, _out, errors = run_tallyd(*arguments, env={name: value})
            tap.equal(status, 78, f"the exit status for {name} ({errors})")
            tap.check(errors.startswith(f"tallyd: {name}: "), errors)
            tap.contains(errors, wanted, f"what it says of {name}")


@tap.test
def a_name_that_is_there_twice_is_told():
    """execve(2) takes an environment with one name twice"""
    script = ("import ctypes, sys; libc = ctypes.CDLL(None); "
              "words = [word.encode() for word in sys.argv[1:]]; "
              "arguments = (ctypes.c_char_p * (len(words) + 1))(*words); "
              "variables = (ctypes.c_char_p * 3)(b'TALLYD_POOL_NICE=1', "
              "b'TALLYD_POOL_NICE=2'); "
              "libc.execve(words[0], arguments, variables)")
    pool = Pool(start=False, through=lambda command: [
        sys.executable, "-c", script, kit.TALLYD, "-t", *command[1:]])
    process = kit.Process("tallyd", pool.command)
    tap.equal(process.wait(), 78, "the exit status")
    tap.contains(process.log(), "TALLYD_POOL_NICE: is in the environment twice",
                 "what it says")


@tap.test
def variables_of_a_service_are_no_settings():
    """those that Kubernetes sets for a service called tallyd are left alone"""
    links = {"TALLYD_SERVICE_HOST": "10.96.0.7", "TALLYD_SERVICE_PORT": "9000",
             "TALLYD_PORT": "tcp://10.96.0.7:9000",
             "TALLYD_PORT_9000_TCP": "tcp://10.96.0.7:9000",
             "TALLYD_PORT_9000_TCP_ADDR": "10.96.0.7"}
    with Pool(env=links) as pool:
        pool.wait_for_log("5 environment variables that begin with TALLYD_ are "
                          "about a service of that name")
        tap.equal(pool.post(SAMPLE).body, b'{"sum":42}', "the reply")


@tap.test
def they_last_over_reloads_and_upgrades():
    """the pool keeps them, its environment does not; a file that one names is
    read at each reload"""
    value = kit.fresh_path("multiply")
    value.write_text("3\n")
    env = {"TALLYD_POOL_WORKERS": "3",
           "TALLYD_ENDPOINT_MAIN_MULTIPLY_FILE": str(value)}
    with Pool(env=env) as pool:
        for order, number, sum_ in (("reload", "4", 84), ("upgrade", "5", 105),
                                    ("reload", "6", 126)):
            value.write_text(number + "\n")
            reloads.reload(pool, order)
            reloads.wait_until_alone(pool)
            tap.equal(pool.post(SAMPLE).body, b'{"sum":%d}' % sum_,
                      f"the reply after {order}")
            tap.equal(len(pool.workers()), 3, f"workers after {order}")
            for pid in (pool.pid, *procfs.children_of(pool.pid)):
                tap.check(b"TALLYD_" not in environment_of(pid),
                          f"/proc/{pid}/environ after {order}")


@tap.test
def a_reload_without_the_file_is_refused():
    """a file that is gone fails a reload and an upgrade; the pool goes on"""
    value = kit.fresh_path("multiply")
    value.write_text("3")
    with Pool(env={"TALLYD_ENDPOINT_MAIN_MULTIPLY_FILE": str(value)}) as pool:
        value.unlink()
        for order in "reload", "upgrade":
            status, _out, errors = run_tallyctl("-c", pool.config, order,
                                                limit=60)
            tap.equal(status, 1, f"how {order} ended ({errors})")
            tap.equal(pool.post(SAMPLE).body, b'{"sum":63}', "the reply")
        pool.wait_for_log("TALLYD_ENDPOINT_MAIN_MULTIPLY_FILE: ")


@tap.test
def a_value_of_a_file_is_not_shown():
    """neither by -T, nor when it is wrong"""
    value = kit.fresh_path("proxy")
    path = settings_file("[endpoint cart]\ndownstream = http://host/\n")
    env = {"TALLYD_ENDPOINT_CART_DOWNSTREAM_PROXY_FILE": str(value)}
    value.write_text(f"http://{SECRET}@proxy:3128\n")
    status, out, errors = run_tallyd("-T", "-c", path, env=env)
    tap.equal(status, 0, f"the exit status ({errors})")
    tap.contains(out, "; TALLYD_ENDPOINT_CART_DOWNSTREAM_PROXY_FILE\n"
                 ";downstream_proxy = (not shown)\n", "-T")
    tap.check(SECRET not in out, "-T shows it")
    value.write_text(f"ftp://{SECRET}@proxy:3128\n")
    status, out, errors = run_tallyd("-t", "-c", path, env=env)
    tap.equal(status, 78, f"the exit status ({errors})")
    tap.contains(errors, "[endpoint cart] downstream_proxy", "the message")
    tap.check(SECRET not in errors, f"it is shown: {errors}")
    wrong = {"TALLYD_POOL_WORKERS_FILE": str(value)}
    status, _out, errors = run_tallyd("-t", env=wrong)
    tap.equal(status, 78, f"the exit status ({errors})")
    tap.check(SECRET not in errors, f"it is shown: {errors}")


@tap.test
def tallyctl_reads_them_too():
    """who has the environment of the pool finds it, as in its container"""
    board = kit.fresh_path("board")
    env = {"TALLYD_POOL_SCOREBOARD": str(board)}
    with Pool(env=env, workers=1) as pool:
        kit.until("the scoreboard is there", board.exists)
        status, _out, errors = run_tallyctl("-c", pool.config, "status")
        tap.equal(status, 69, f"without it ({errors})")
        for command in ["status"], ["doctor"], ["example"]:
            status, _out, errors = run_tallyctl("-c", pool.config, *command,
                                                env=env)
            tap.check("scoreboard" not in errors, errors)
        status, _out, errors = run_tallyctl("-c", pool.config, "status",
                                            env=env)
        tap.equal(status, 0, f"with it ({errors})")
        wrong = {"TALLYD_POOL_WORKER": "1"}
        # Who only looks goes on with what can be read; who acts does not.
        for command, variables, wanted in (
                ("reload", {**wrong, **env}, 78), ("status", wrong, 69),
                ("status", {**wrong, **env}, 0)):
            status, _out, errors = run_tallyctl("-c", pool.config, command,
                                                env=variables)
            tap.equal(status, wanted, f"{command} with a mistake ({errors})")
            tap.contains(errors, "TALLYD_POOL_WORKERS?", "what it says")


sys.exit(kit.run())
