#!/usr/bin/env bash
# Draws every icon from the sources beside it. Needs Chromium and ImageMagick; run it after changing a source, and commit
# what it writes.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
# draw SOURCE SIZE OUTPUT: drawn at 512 and scaled down, so that small ones stay smooth.
draw() {
  printf '<style>*{margin:0}img{width:512px;height:512px;display:block}</style><img src="file://%s/%s">' "$PWD" "$1" >"$work/page.html"
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --default-background-color=00000000 \
    --user-data-dir="$work/profile" --window-size=512,512 --screenshot="$work/drawn.png" "file://$work/page.html" >/dev/null 2>&1
  convert "$work/drawn.png" -crop 512x512+0+0 +repage -resize "$2x$2" -depth 8 "PNG32:$3"
}
draw reeve.svg 512 icon.png
for size in 32 128 256; do convert icon.png -resize "${size}x${size}" -depth 8 "PNG32:${size}x${size}.png"; done
mv 256x256.png 128x128@2x.png
convert icon.png -define icon:auto-resize=256,64,48,32,16 icon.ico
for shape in protected held open alert; do draw "tray/$shape.svg" 32 "tray/$shape.png"; done
