//! What is printed: both sides, and what must hold between them.

use super::{
    Runs,
    measure::{Run, median},
    shares::Share,
};

const MIB: f64 = (1 << 20) as f64;

/// What it ran on, in general words.
pub(crate) fn machine() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let sha = std::fs::read_to_string("/proc/cpuinfo")
        .map_or("unknown", |text| if text.contains(" sha_ni ") { "yes" } else { "no" });
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    println!("{cores} cores, SHA extensions: {sha}, load average at the start: {load}");
}

fn wall(runs: &[Run]) -> f64 {
    median(runs.iter().map(|run| run.wall))
}

/// The higher, the better: the peer's time over ours, run by run, so that both had the same noise.
fn ratio(over: &[Run], under: &[Run]) -> f64 {
    median(over.iter().zip(under).map(|(o, u)| o.wall / u.wall))
}

/// All sides of one number of records.
pub(crate) fn table(runs: &Runs) {
    println!("\n{} records, median of {}", runs.records, runs.fixed.len());
    println!(
        "{:<22} {:>8} {:>8} {:>12} {:>8} {:>9}",
        "", "wall s", "cpu s", "records/s", "MiB/s", "peak MiB"
    );
    let rows = [
        ("ours, fixed-width", &runs.fixed, runs.fixed_bytes),
        ("ours, delimited", &runs.delimited, runs.delimited_bytes),
        ("peer, delimited", &runs.peer, runs.delimited_bytes),
    ];
    for (name, side, bytes) in rows {
        let wall = wall(side);
        let cpu = median(side.iter().map(|run| run.cpu));
        let records = runs.records as f64 / wall;
        let rate = bytes as f64 / MIB / wall;
        // The peer is several processes: the mark of its shell says nothing.
        let peak = match name.starts_with("ours") {
            true => format!("{:.0}", peak(side)),
            false => "-".to_owned(),
        };
        println!("{name:<22} {wall:>8.2} {cpu:>8.2} {records:>12.0} {rate:>8.0} {peak:>9}");
    }
    println!(
        "the peer's time over ours, delimited: {:.2} (must be 1 or more)",
        ratio(&runs.peer, &runs.delimited)
    );
    println!(
        "records per second, fixed-width over delimited: {:.2} (must be 0.7 or more)",
        ratio(&runs.delimited, &runs.fixed)
    );
}

/// MiB; the highest of all runs.
fn peak(runs: &[Run]) -> f64 {
    runs.iter().map(|run| run.peak_kib).max().unwrap_or(0) as f64 / 1024.0
}

/// What more records cost.
pub(crate) fn growth(base: &Runs, grown: &Runs, times: u64) {
    println!("\n{times} times the records, time over {times} times the time");
    for (name, base, grown) in [
        ("ours, fixed-width", &base.fixed, &grown.fixed),
        ("ours, delimited", &base.delimited, &grown.delimited),
        ("peer, delimited", &base.peer, &grown.peer),
    ] {
        println!("{name:<22} {:.2}", wall(grown) / (wall(base) * times as f64));
    }
    let most = peak(&grown.fixed).max(peak(&grown.delimited));
    println!("ours must be 1.15 or less; peak memory {most:.0} MiB (must be under 300)");
}

/// What each check costs of a whole intake.
pub(crate) fn shares(name: &str, runs: &[Run], shares: &[Share]) {
    let whole = median(runs.iter().map(|run| run.cpu));
    println!(
        "\n{name}: processor time of each part alone, and its share of an intake's {whole:.2} s"
    );
    let line =
        |what: &str, cpu: f64| println!("{what:<32} {cpu:>8.4} s {:>6.1} %", cpu / whole * 100.0);
    shares.iter().for_each(|share| line(share.what, share.cpu));
    line("the rest", whole - shares.iter().map(|share| share.cpu).sum::<f64>());
}

/// A small delivery.
pub(crate) fn latency(runs: &[Run]) {
    let mut walls: Vec<f64> = runs.iter().map(|run| run.wall * 1000.0).collect();
    walls.sort_by(f64::total_cmp);
    println!(
        "\n10 records, from a complete delivery to its verdict by 'run --once': median {:.0} ms, longest {:.0} ms",
        median(walls.iter().copied()),
        walls.last().copied().unwrap_or(0.0)
    );
}
