-- A write that is refused whenever an order's would be, and changes nothing.
redis.call('SET', KEY.PROBE, '1')
return 1
