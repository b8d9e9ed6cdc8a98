//! Completion in a document of 1 MB: the goal is at most one millisecond.

use collab_core::autocomplete::{Request, suggest};
use collab_core::ids::Offset;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

const MEGABYTE: usize = 1 << 20;

fn completion(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("suggest in 1 MB");
    let function = "def measure_width(items, scale):\n    total = 0\n    for item in items:\n        \
                    total += item.width * scale\n    return total\n\n";
    let text = function.repeat(MEGABYTE / function.len());
    for (place, at) in [
        ("start", 0),
        ("middle", text.len() / 2),
        ("end", text.len()),
    ] {
        let (before, after) = text.split_at(at);
        for (kind, typed) in [
            ("word", "    mea"),
            ("block", "def "),
            ("import", "import "),
        ] {
            let text = format!("{before}\n{typed}\n{after}");
            let caret = u32::try_from(before.len() + 1 + typed.len()).expect("1 MB");
            let id = BenchmarkId::new(kind, place);
            group.bench_with_input(id, &text, |b, text| {
                b.iter(|| {
                    suggest(&Request {
                        text,
                        caret: Offset(caret),
                        language: "python",
                        max: 5,
                    })
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, completion);
criterion_main!(benches);
