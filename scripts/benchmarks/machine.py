"""What a figure was measured on."""

import os
import pathlib
import platform

CPUINFO = pathlib.Path('/proc/cpuinfo')  # of Linux
SETS = {
    'avx2': 'AVX2',
    'avx512f': 'AVX-512',
    'avx512_bf16': 'AVX-512 BF16',
    'amx_tile': 'AMX',
}


def describe() -> str:
    """The processor's model, those of its instruction sets that matter here, and its cores."""
    found = {}
    if CPUINFO.exists():
        lines = (line.split(':', 1) for line in CPUINFO.read_text().splitlines() if ':' in line)
        found = {name.strip(): value.strip() for name, value in lines}
    model = found.get('model name') or platform.processor() or platform.machine()
    flags = found.get('flags', '').split()
    sets = [name for flag, name in SETS.items() if flag in flags]
    return ', '.join([model, *sets, f'{os.cpu_count()} cores'])
