-- wrk: places orders of three different random SKUs, each under a fresh Idempotency-Key.
-- Arguments: a seed, the file of SKUs. The API key is in BENCH_KEY.
local skus, third, head = {}, 0, ''
local body = '{"paymentTerms":"onAccount","lines":[{"sku":%s,"quantity":1},{"sku":%s,"quantity":2},{"sku":%s,"quantity":3}]}'
local random, format = math.random, string.format

function init(args)
  math.randomseed(tonumber(args[1]))
  for line in io.lines(args[2]) do skus[#skus + 1] = line end
  third = math.floor(#skus / 3)
  head = 'POST /v1/orders HTTP/1.1\r\nhost: ' .. wrk.host .. ':' .. wrk.port ..
    '\r\nauthorization: Bearer ' .. os.getenv('BENCH_KEY') ..
    '\r\ncontent-type: application/json\r\nidempotency-key: %08x-%04x-4%03x-a%03x-%06x%06x\r\ncontent-length: %d\r\n\r\n%s'
end

function request()
  local order = format(body, skus[random(third)], skus[third + random(third)], skus[2 * third + random(third)])
  return format(head, random(0, 0x7fffffff), random(0, 0xffff), random(0, 0xfff), random(0, 0xfff),
    random(0, 0xffffff), random(0, 0xffffff), #order, order)
end

dofile((os.getenv('BENCH_FOLDER')) .. '/summary.lua')
