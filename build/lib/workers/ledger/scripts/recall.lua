-- Ask for an archived log or report to be brought back by whoever reports the run next.
local id, field, what = ARGV[1], ARGV[2], ARGV[3]
redis.call('HSET', run_key(id), field, what)
changed(id, now())
return 1
