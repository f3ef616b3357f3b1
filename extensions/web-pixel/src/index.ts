import {register} from '@shopify/web-pixels-extension';
import {pixel} from './pixel.ts';

register(pixel);
