-- Ask for an archived log to be brought back by whoever reports the run next.
local id = ARGV[1]
redis.call('HSET', run_key(id), 'recall', '1')
changed(id, now())
return 1
