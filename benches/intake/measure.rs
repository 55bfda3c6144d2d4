//! One process, measured: wall clock, processor time, the most memory that it ever had.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How often the high-water mark of a process is read. It only rises, so what is missed is what the last moments add.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Seconds from start to end.
    pub(crate) wall: f64,
    /// Seconds of processor time, user and system, of the process and all that it started.
    pub(crate) cpu: f64,
    /// High-water mark of resident memory, in KiB, of the process alone.
    pub(crate) peak_kib: u64,
}

/// Runs a command that must work.
pub(crate) fn run(command: &mut Command) -> Run {
    let before = children_cpu();
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let watch = watch(&child);
    let status = child.wait().unwrap();
    let wall = began.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?}: {status}");
    Run { wall, cpu: children_cpu() - before, peak_kib: watch.join().unwrap() }
}

/// Reads the high-water mark until the process has gone.
fn watch(child: &Child) -> std::thread::JoinHandle<u64> {
    let status = format!("/proc/{}/status", child.id());
    std::thread::spawn(move || {
        let mut peak = 0;
        while let Some(mark) = high_water(&status) {
            peak = mark.max(peak);
            std::thread::sleep(LOOK_EVERY);
        }
        peak
    })
}

fn high_water(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Processor time of everything that this process started and waited for (proc(5): cutime and cstime).
fn children_cpu() -> f64 {
    ticks(13)
}

/// Processor time of this process, all its threads, in seconds (proc(5): utime and stime).
pub(crate) fn own_cpu() -> f64 {
    ticks(11)
}

/// Two numbers of proc(5)'s `stat` that stand beside each other, as seconds.
fn ticks(at: usize) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    // The name, in parentheses, may hold anything; what follows it are numbers.
    let numbers = text.rsplit_once(')').unwrap().1;
    let ticks: u32 =
        numbers.split_whitespace().skip(at).take(2).map(|n| n.parse::<u32>().unwrap()).sum();
    f64::from(ticks) / TICKS_PER_SECOND
}

/// Standard output of a command that must work.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until nothing that was prepared is still on its way to the disk.
pub(crate) fn settle(dir: &Path) {
    output(Command::new("sync").arg("-f").arg(dir));
}

/// The middle one.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
