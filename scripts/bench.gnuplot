# Bars of how many times as fast each variant is as the first, one panel per block of the data file.
stats data skip 1 using 2 nooutput
blocks = STATS_blocks
set terminal pngcairo size 1600, 100 + 460 * blocks noenhanced
set output picture
set multiplot layout blocks, 1 title what
set style data histograms
set style fill solid
set xtics rotate by -60 font ',8'
set ylabel 'times as fast'
set grid y
set key outside top right autotitle columnhead
do for [b = 0:blocks - 1] {
  columns = int(system(sprintf("awk -v b=%d 'NF == 0 { if (e++ %% 2 == 0) block++; next } block == b { print NF; exit }' %s", b, data)))
  plot for [c = 2:columns] data index b using c:xtic(1)
}
